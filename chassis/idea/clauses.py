"""Clauses and verb phrases of the sentence that says what the product does: who, by what means, against what."""

from __future__ import annotations

import re
from dataclasses import replace

from chassis.idea import grammar, nouns, pains
from chassis.idea import phrases as phrases_of
from chassis.idea import words as w
from chassis.idea.grammar import Clause, Sentence, VerbPhrase
from chassis.idea.heads import read_analogue, read_head
from chassis.idea.lexicon import ANALOGUE, ANALOGUES, HARD, HARM_VERBS, PAINS
from chassis.idea.objects import read_means, read_object
from chassis.idea.roles import Roles
from chassis.idea.verbs import FINDING, IMPROVING, MATCHING, REDUCING
from chassis.idea.words import Token


def read_main(source: str, roles: Roles) -> None:
    analogue = ANALOGUE.match(source)
    parsed = grammar.split_sentence(source)
    first = not roles.main
    if first:
        roles.main, roles.head = source.rstrip(" .!?"), parsed.head
    if analogue and analogue["company"].lower() in ANALOGUES and first:
        company = analogue["company"].lower()
        roles.head = f"{ANALOGUES[company][0]} {'marketplace' if company in {'uber', 'airbnb'} else 'platform'}"
        read_analogue(company, analogue["what"].partition(": ")[0], roles)
    doing: list[tuple[Clause, list[VerbPhrase]]] = []
    shorthand = bool(analogue) and first and roles.head != parsed.head
    for clause in parsed.clauses:
        if shorthand and clause.kind == "for":
            continue
        _read_clause(clause, parsed, roles, doing)
    if first and not shorthand:
        read_head(parsed, roles)
    used = re.search(
        r"\b(?:bought|used|worn|ordered|rented|paid for|loved|chosen|shared) by (?P<who>(?:[\w’'-]+\s){0,3}[\w’'-]+)",
        source,
    )
    if used and nouns.is_actor_phrase(used["who"]) and w.is_plural(used["who"].split()[-1].lower()):
        roles.add_audience(re.sub(r"^all\s", "", used["who"]), used.group())
    _read_solution(doing, source, roles)


def is_shorthand(source: str) -> bool:
    """Whether a sentence explains itself by a known company ("Uber for lawn mowing")."""
    analogue = ANALOGUE.match(source)
    return analogue is not None and analogue["company"].lower() in ANALOGUES


def _read_clause(clause: Clause, parsed: Sentence, roles: Roles, doing: list[tuple[Clause, list[VerbPhrase]]]) -> None:
    source = parsed.source
    text = clause.text(source)
    kind = clause.kind.partition(":")[0]
    if kind == "for":
        _read_for(text, roles)
    elif kind in {"relative", "infinitive", "for-gerund", "by", "participle", "where", "so", "acting", "is"}:
        phrases = phrases_of.verb_phrases(clause, source)
        if kind in {"where", "so"} or not phrases:
            subject, rest = _actor_subject(clause, source)
            if subject:
                roles.add_audience(subject, text)
                phrases = phrases_of.parse_verbs(rest.tokens, source, kind)
        if not phrases and kind == "acting":
            return
        read_phrases(phrases, kind, roles)
        doing.append((clause, phrases))
    elif kind == "with":
        # "with fall detection for people living alone": what it has, and for whom.
        means, _, whom = text.partition(" for ")
        people = re.split(r"\s(?=\w+ing\b)", whom)[0]
        if whom and (people.lower() == "people" or nouns.is_actor_phrase(people, lenient=True)):
            _read_for(whom, roles)
            text = means
        read_means(text, roles)
        doing.append((clause, []))
    elif kind == "when":
        subject, rest = _actor_subject(clause, source)
        if subject:
            roles.add_audience(subject, text)
            verb = next((t.lower for t in rest.tokens if w.is_base_verb(t.lower)), "")
            if (
                clause.kind == "when:before"
                and verb
                and nouns.is_actor_phrase(subject)
                and any(m.base in FINDING for m in roles.mechanisms)
            ):
                roles.extras.append((f"Alert {subject} before they {verb}", f"before {text}"))
        doing.append((clause, []))
    elif kind == "without":
        read_without(clause.tokens, source, roles)
        doing.append((clause, []))
    elif kind == "instead":
        phrases = phrases_of.parse_verbs(clause.tokens, source, kind)
        hurts = phrases[0].gerund_form if phrases else nouns.clean(text)
        # "trains instead of flights": what is replaced need not hurt.
        if phrases or {w.singular(t.lower) for t in clause.tokens} & (PAINS | HARD):
            roles.set_problem(hurts, f"instead of {text}")
        doing.append((clause, []))
    elif kind == "who":
        _read_who(clause, source, roles)
    elif kind == "because":
        roles.set_problem(pains.as_noun_phrase(text), text)


def read_without(tokens: list[Token], source: str, roles: Roles) -> None:
    """What need not be done or had: "without touching it" hurts as having to, "without a designer" as needing one."""
    text = source[tokens[0].start : tokens[-1].end]
    phrases = phrases_of.parse_verbs(tokens, source, "without")
    thing = nouns.clean(text)
    head = nouns.head_of(thing)
    if phrases and phrases[0].base not in HARM_VERBS | {"fight", "argue", "wait", "worry", "guess", "quarrel", "fear"}:
        hurts = f"having to {re.sub('anything', 'something', phrases[0].base_form)}"
    elif phrases:
        hurts = phrases[0].gerund_form
    elif re.match(r"an?\s", text, re.IGNORECASE) and head not in PAINS:
        hurts = f"needing {text}"
    else:
        hurts = thing
    roles.set_problem(hurts, f"without {text}")


def _read_for(text: str, roles: Roles) -> None:
    whole, _, topic = nouns.clean(re.split(r"\s(?:so|with which)\s", text)[0]).partition(" about ")
    if topic:
        verb, _, thing = topic.partition(" ")
        if w.base_of_gerund(verb.lower()) and thing:
            roles.mechanisms.append(VerbPhrase(w.base_of_gerund(verb.lower()), thing, clause="for", basis=topic))
        roles.things.append(topic)
    for member in nouns.split_list(whole):
        if re.match(r"\w+ed\s(?:against|by|with|from|in|on|at|to|for|into|out)\b", member):
            # "parents, checked against the labels": what is done with the product, not who has it.
            continue
        if nouns.is_actor_phrase(member, lenient=True):
            roles.add_audience(member, text)
            continue
        made = nouns.to_verb_phrase(member)
        head = nouns.head_of(member)
        if made:
            roles.mechanisms.append(VerbPhrase(*made, clause="for", basis=member, outer=" ".join(made)))
        elif head in {"dog", "cat", "pet", "horse"}:
            roles.add_audience(f"{head} owners", text)
        elif re.search(r"\b(?:with|who|living|at|in)\b", member) or head in {"ager", "ages"}:
            roles.add_audience(member, text)
        else:
            roles.things.append(member)


def _read_who(clause: Clause, source: str, roles: Roles) -> None:
    """ "parents who want to limit screen time", "owners who struggle with paperwork"."""
    text = clause.text(source)
    first, _, after = text.partition(" ")
    if after and (base := w.base_of_third(first.lower())) and first.lower() not in w.AUXILIARIES:
        # "my grandmother who forgets to drink".
        text = f"{base} {after}"
    wish = re.match(
        r"^(?:also\s+)?(?:want|need|would like|like|wish|try|hope|have|love)\s+to\s+(?P<what>.+)$", text, re.IGNORECASE
    )
    seeking = re.match(
        r"^(?:are\s+)?(?:look|looking|search|searching|hunt|hunting)\s+for\s+(?P<what>.+)$", text, re.IGNORECASE
    )
    struggle = re.match(
        r"^(?:\w+ly\s+)?(?:struggle|suffer|deal|cope|fight|are tired|are frustrated|are fed up|worry|are "
        r"overwhelmed)\s+(?:to|with|from|of|about|by)\s+(?P<what>.+)$",
        text, re.IGNORECASE,
    )  # fmt: skip
    negative = re.match(
        r"^(?:can't|cannot|can not|don't|do not|have no|lack|never|forget|lose|waste|miss|hate|fail)\b",
        text,
        re.IGNORECASE,
    )
    doing = re.match(
        r"^(?:is|are|keep|keeps)\s+(?:\w+ly\s+|always\s+|often\s+)?(?P<what>\w+ing\s.+)$", text, re.IGNORECASE
    )
    if wish:
        offset = wish.start("what") + clause.tokens[0].start
        tokens = [t for t in clause.tokens if t.start >= offset]
        read_phrases(phrases_of.parse_verbs(tokens, source, "who", form="base"), "who", roles)
    elif seeking:
        # "runners who look for training partners": what they seek is the need, and finding it the job.
        sought = seeking["what"]
        roles.set_problem(f"finding {sought}", text, inferred=True)
        roles.mechanisms.append(VerbPhrase("find", sought, clause="who", basis=text, outer=f"find {sought}"))
    elif struggle:
        what = struggle["what"]
        first, _, rest = what.partition(" ")
        roles.set_problem(f"{w.gerund(first.lower())} {rest}" if w.is_base_verb(first.lower()) and rest else what, text)
    elif doing and (w.base_of_gerund(doing["what"].split()[0].lower()) in HARM_VERBS or pains.score(doing["what"]) > 0):
        roles.set_problem(re.split(r",\s", doing["what"])[0], text)
    elif negative:
        hurts = pains.as_noun_phrase(f"people {text}").removeprefix("people ")
        roles.set_problem(hurts, text)
    else:
        _name_by_doing(text, roles)
        roles.things.append(text)


# A clause of more words tells a story and names nobody.
_NAMING_WORDS_MAX = 7
_ANYBODY = frozenset({"people", "anyone", "everyone", "those", "folks"})


def _name_by_doing(text: str, roles: Roles) -> None:
    """ "people who borrow a car": without the clause nobody in particular is named."""
    if roles.audiences and roles.audiences[-1].lower() in _ANYBODY and len(text.split()) <= _NAMING_WORDS_MAX:
        roles.audiences[-1] = f"{roles.audiences[-1]} who {text}"


def _actor_subject(clause: Clause, source: str) -> tuple[str, Clause]:
    """("finance teams", clause from its verb on) for "finance teams pay them"; ("", clause) without an actor."""
    tokens = clause.tokens
    for index in range(1, min(len(tokens), 7)):
        word = tokens[index].lower
        before = [t.lower for t in tokens[:index]]
        verb = (
            word in w.AUXILIARIES
            or word == "never"
            or word.endswith("ly")
            or w.is_base_verb(word)
            or bool(w.base_of_third(word))
        )
        if verb and (nouns.is_actor(before[-1]) or (nouns.is_agent(before[-1]) and w.is_plural(before[-1]))):
            phrase = source[tokens[0].start : tokens[index - 1].end]
            start = index
            while start < len(tokens) - 1 and tokens[start].lower in w.AUXILIARIES:
                start += 1
            return nouns.clean(phrase), Clause(clause.kind, tokens[start:])
        if verb and before[-1] in w.PRONOUNS:
            start = index
            while start < len(tokens) - 1 and tokens[start].lower in w.AUXILIARIES:
                start += 1
            return before[-1], Clause(clause.kind, tokens[start:])
    return "", clause


def _spoken_of(phrases: list[VerbPhrase]) -> str:
    """The many that the phrase before speaks of: "children" of "listens to children read aloud"; "" for none."""
    words = re.findall(r"[a-z-]+", phrases[-1].rest.lower()) if phrases else []
    return next((word for word in words if word not in w.STOPWORDS and w.is_plural(word)), "")


def read_phrases(phrases: list[VerbPhrase], kind: str, roles: Roles) -> None:
    for position, said in enumerate(phrases):
        phrase = _with_object(said, phrases[position - 1] if position else None)
        if phrase.audience:
            roles.add_audience(phrase.audience, phrase.basis)
        if re.match(r"^(?:them|their)\b", phrase.rest) and phrase.clause != "participle":
            # "We switch them automatically": those just spoken of, else whoever they are.
            who = roles.audiences[0] if roles.audiences else _spoken_of(phrases[:position]) or "customers"
            phrase = replace(
                phrase, rest=re.sub(r"^them\b", who, phrase.rest), outer=re.sub(r"\bthem\b", who, phrase.outer)
            )
        if phrase.base in MATCHING:
            _read_match(phrase, roles)
        elif kind == "where" and roles.audiences:
            _read_served(phrase, roles)
        phrase = _without_audience(phrase, read_object(phrase, roles))
        outcome = _is_outcome(phrase)
        if outcome:
            roles.outcomes.append(phrase)
            _problem_of(phrase, roles)
        if kind == "by":
            roles.mechanisms.insert(sum(m.clause == "by" for m in roles.mechanisms), phrase)
        elif not outcome and kind not in {"so"}:
            roles.mechanisms.append(phrase)
        elif kind == "so" and not outcome:
            roles.outcomes.append(phrase)


def _with_object(phrase: VerbPhrase, before: VerbPhrase | None) -> VerbPhrase:
    """ "reads letters and explains them": the letters."""
    if before is None or not re.match(r"^them\b", phrase.rest):
        return phrase
    thing = re.split(r"\s(?:to|for|from|with|in|on|at|by|that|so)\s", re.sub(r"^(?:back|up|out)\s", "", before.rest))[0]
    if not thing or not w.is_plural(thing.split()[-1].lower()):
        return phrase
    rest = re.sub(r"^them\b", thing, phrase.rest)
    return replace(phrase, rest=rest, outer=phrase.outer.replace(phrase.rest, rest))


def _is_outcome(phrase: VerbPhrase) -> bool:
    less = re.match(r"^(?:less|fewer|lower)\b", phrase.rest, re.IGNORECASE) is not None
    negated = phrase.adverb.lower() in {"never", "not", "no longer"}
    if phrase.base in FINDING:
        return False
    return phrase.base in REDUCING or phrase.base in IMPROVING or less or negated or phrase.base in {"save", "slash"}


def _problem_of(phrase: VerbPhrase, roles: Roles) -> None:
    """What an outcome says hurts: "reduce no-shows" -> "no-shows", "waste less food" -> "wasting food"."""
    obj = re.split(r"\s(?:with|by|through|using|via|for|so|before|when|between|in minutes|from)\s", f"{phrase.rest} ")[
        0
    ].strip()
    less = re.match(r"^(?:less|fewer|lower)\s+(?P<what>.+)$", obj, re.IGNORECASE)
    keeping = re.match(r"^(?P<who>.+?)\s+from\s+(?P<what>\w+ing\b.*)$", phrase.rest, re.IGNORECASE)
    if keeping and phrase.base in {"prevent", "stop", "protect"}:
        roles.set_problem(f"{keeping['who']} {keeping['what']}", phrase.basis)
        if nouns.is_actor_phrase(keeping["who"]) and w.is_plural(nouns.clean(keeping["who"]).split()[-1].lower()):
            roles.add_audience(keeping["who"], phrase.basis)
        return
    if phrase.adverb.lower() in {"never", "not", "no longer"}:
        roles.set_problem(f"{w.gerund(phrase.base)} {phrase.rest}", phrase.basis)
    elif less:
        roles.set_problem(f"{w.gerund(phrase.base)} {less['what']}", phrase.basis)
    elif phrase.base in {"protect", "improve", "increase"} | IMPROVING:
        return
    elif phrase.base == "save" and obj:
        spent = re.search(r"\b(?:costs?|bills?|fees?|expenses|waste|overruns)$", nouns.clean(obj))
        roles.set_problem(nouns.clean(obj) if spent else f"losing {nouns.clean(obj)}", phrase.basis)
    elif phrase.base in {"end", "solve", "remove", "cut", "lower", "fix"} | REDUCING and obj:
        roles.set_problem(nouns.clean(obj), phrase.basis)


def _read_match(phrase: VerbPhrase, roles: Roles) -> None:
    """Both sides of "matches students with tutors"."""
    sides = re.split(r"\s(?:with|to|and)\s", phrase.rest, maxsplit=1)
    for side in sides:
        core = re.split(
            r"\s(?:for|by|in|who|that|near|nearby|based|on|at|from|using|with|through)\b", side, maxsplit=1
        )[0]
        if nouns.is_actor_phrase(core, lenient=True):
            roles.add_audience(core, phrase.basis)
            roles.sides += 1
    if len(sides) == 2:
        sought = re.split(r"\s(?:who|that|by|using|based)\b", sides[1], maxsplit=1)[0]
        roles.set_problem(f"finding {nouns.clean(sought)}", phrase.basis, inferred=True)


def _read_served(phrase: VerbPhrase, roles: Roles) -> None:
    """ "where engineers mentor startups on mistakes": those who are served come first, theirs is the need."""
    served = re.match(r"^(?:(?:[\w-]+)\s){0,2}?[\w-]+(?=\s(?:to|on|in|with|about|how)\s|$)", phrase.rest)
    if phrase.base not in _SERVING or served is None or not nouns.is_actor_phrase(served.group()):
        return
    roles.add_audience(served.group(), phrase.basis)
    who = next((a for a in roles.audiences if a.lower().endswith(served.group().lower().split()[-1])), "")
    if who and who != roles.audiences[0]:
        roles.audiences.remove(who)
        roles.audiences.insert(0, who)
        roles.sides = max(roles.sides, 2)
    about = re.search(r"\s(?:on|about|with|in)\s(?P<what>.+)$", phrase.rest)
    if about and {w.singular(t.lower) for t in w.tokenize(about["what"])} & PAINS:
        roles.set_problem(nouns.clean(about["what"]), phrase.basis)


_SERVING = frozenset("mentor teach tutor coach train advise guide help support educate assist".split())


def _without_audience(phrase: VerbPhrase, said: str) -> VerbPhrase:
    """ "draft contracts for small law firms" -> "draft contracts", where the firms are known as the audience."""
    rest = phrase.rest
    if said and rest.endswith(said) and len(rest) > len(said):
        return replace(phrase, rest=rest.removesuffix(said).rstrip())
    return phrase


_JOINTS = {
    "by": " by", "infinitive": " to", "with": " using", "so": " so", "without": " without", "instead": " instead of",
    "participle": ",", "where": " where", "relative": " that",
}  # fmt: skip


def _read_solution(doing: list[tuple[Clause, list[VerbPhrase]]], source: str, roles: Roles) -> None:
    """The clauses of the main sentence as one verb phrase in base form."""
    if roles.solution:
        return
    parts: list[str] = []
    basis: list[str] = []
    for clause, phrases in doing:
        text = clause.text(source)
        basis.append(text)
        if not parts:
            if clause.kind in {"relative", "infinitive", "for-gerund", "by", "where", "so", "acting"} and phrases:
                listed = [p.outer for p in phrases if p.outer]
                parts.append(w.join(listed))
            continue
        marker = _JOINTS.get(clause.kind.partition(":")[0])
        if clause.kind.startswith("when:"):
            marker = f" {clause.kind.partition(':')[2]}"
        if marker is None:
            continue
        if clause.kind == "relative" and phrases:
            parts[-1:] = [parts[-1] + " and " + w.join([p.outer for p in phrases if p.outer])] if parts else []
            continue
        if len("".join(parts)) + len(text) < 200:
            parts.append(f"{marker} {text}")
    roles.solution = "".join(parts).strip(" ,")
    if roles.solution:
        first, last = doing[0][0].tokens, doing[-1][0].tokens
        roles.basis["solution"] = w.clip(source[first[0].start : last[-1].end] or " ".join(basis), 200)
