"""Who, what hurts, what is done and how: gives each clause of an idea its role."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from chassis.idea import grammar, nouns, pains, remedies
from chassis.idea import words as w
from chassis.idea.grammar import Clause, Sentence, VerbPhrase
from chassis.idea.lexicon import ANALOGUES, FORM_ADJECTIVES, FORM_HEADS, FORM_WORDS, PAINS, VERB_FOR_NOUN
from chassis.idea.verbs import FINDING, IMPROVING, MATCHING, REDUCING

AUDIENCES_MAX = 5
MECHANISMS_MAX = 6


@dataclass
class Roles:
    """What was found; phrases are lower-case at their start, without final stops. `basis` is keyed by profile field."""

    head: str = ""
    name: str = ""
    main: str = ""
    audiences: list[str] = field(default_factory=list)
    problem: str = ""
    problem_inferred: bool = False
    solution: str = ""
    solution_inferred: bool = False
    # What users get to do in the end, as a verb phrase in base form ("waste less food", "find tutors").
    goal: str = ""
    # How it works, then what it achieves.
    mechanisms: list[VerbPhrase] = field(default_factory=list)
    outcomes: list[VerbPhrase] = field(default_factory=list)
    # Extra feature titles read off single words ("vetted tutors" -> "Vet tutors"), each with its words.
    extras: list[tuple[str, str]] = field(default_factory=list)
    # Noun phrases that were named as subject or object, for entities and keywords.
    things: list[str] = field(default_factory=list)
    # What the head says about its subject ("startup idea validation").
    about: str = ""
    labelled: bool = False
    pain_sentences: list[str] = field(default_factory=list)
    basis: dict[str, str] = field(default_factory=dict)

    def add_audience(self, phrase: str, basis: str = "") -> None:
        """Adds a cleaned audience, unless it is a pronoun or already there."""
        cleaned = nouns.clean(re.sub(r"\s+", " ", phrase))
        if self.labelled:
            titled = [x for x in cleaned.split() if re.match(r"^[A-Z][a-z]+$", x)]
            cleaned = w.decapitalise(cleaned)
            if nouns.is_actor_phrase(cleaned, lenient=True) and titled and titled[-1] == cleaned.split()[-1]:
                cleaned = " ".join(
                    x.lower() if x in titled and x.lower() not in w.PROPER else x for x in cleaned.split()
                )
        cleaned = re.sub(
            r"^(?:vetted|verified|certified|screened|qualified|trusted|trained|the right|suitable)\s+", "", cleaned
        )
        cleaned = re.sub(
            r"^(?:many|most|some|busy people like|people like|all|any|every|each|your|our)\s+",
            "",
            cleaned,
            flags=re.IGNORECASE,
        )
        words = cleaned.lower().split()
        if not words or words[-1] in w.PRONOUNS or words[0] in w.PRONOUNS or len(words) > 12:
            return
        head = nouns.head_of(cleaned)
        if cleaned.islower() and head and not w.is_plural(head) and words[-1] == head and nouns.is_actor(head):
            if w.plural(head) != words[-1] and head not in {"staff", "military", "government", "defense", "defence"}:
                cleaned = w.plural(cleaned)
        if cleaned.lower() not in {a.lower() for a in self.audiences}:
            self.audiences.append(cleaned)
            self.basis.setdefault("audiences", w.clip(basis or phrase.strip(), 160))

    def set_problem(self, phrase: str, basis: str, *, inferred: bool = False) -> None:
        """Sets the problem once; a stated one replaces an inferred one."""
        cleaned = pains.shorten(w.decapitalise(phrase.strip()))
        if not cleaned or (self.problem and (inferred or not self.problem_inferred)):
            return
        self.problem, self.problem_inferred = cleaned, inferred
        self.basis["problem"] = w.clip(basis.strip(" .") or cleaned, 200)


_LABELS = {
    "audience": r"target(?:ing)?(?: audience| market| users?| customers?)?|audience|customers?|users?|who",
    "problem": r"to solve|problem|pain(?: point)?s?|challenge|need",
    "solution": r"solution|product|how it works|approach|what it does|features?",
    "model": r"business model|pricing|revenue(?: model)?|monetization",
}


def split_labels(text: str) -> tuple[str, dict[str, str]]:
    """(text before the first label, label -> text) for "..., problem: ..., solution: ..."; labels need a colon."""
    pattern = "|".join(f"(?P<{name}>{words})" for name, words in _LABELS.items())
    found = list(re.finditer(rf"(?:^|(?<=[.;,|!?\n–—-])\s*|\s)(?:{pattern})\s*:\s+", text, re.IGNORECASE))
    found = [
        m for m in found if m.start() == 0 or text[: m.start() + 1].rstrip()[-1:] in ".;,|!?–—-)" or m.group("problem")
    ]
    if not found:
        return text, {}
    labels: dict[str, str] = {}
    for position, match in enumerate(found):
        end = found[position + 1].start() if position + 1 < len(found) else len(text)
        name = match.lastgroup or ""
        labels[name] = (labels.get(name, "") + " " + text[match.end() : end]).strip(" .;,|")
    return text[: found[0].start()].strip(" .;,|-–—"), labels


def read_roles(text: str) -> Roles:
    """Reads the roles from a normalised English text."""
    roles = Roles()
    lead, labels = split_labels(text)
    if "problem" in labels or "audience" in labels:
        roles.labelled = True
        _read_labelled(lead, labels, roles)
        return roles
    parts = w.sentences(lead) or [lead]
    sentences = [w.without_parentheses(part).strip() for part in parts]
    sentences = [s for s in sentences if s] or [lead]
    main_at = _main(sentences)
    stripped, roles.name = grammar.strip_lead_in(sentences[main_at])
    _read_main(stripped, roles)
    for position, sentence in enumerate(sentences):
        if position != main_at:
            _read_other(sentence, roles)
    if labels.get("solution"):
        _read_main(labels["solution"], roles)
    pained = [s for i, s in enumerate(sentences) if i != main_at and pains.score(s) > 1.0]
    if pained and (not roles.problem or roles.problem_inferred):
        phrase, basis = pains.best_problem(pained)
        if phrase:
            roles.set_problem(phrase, basis)
    roles.pain_sentences = pained
    _finish(roles)
    return roles


def _main(sentences: list[str]) -> int:
    """The sentence that says what the product is or does."""
    for position, sentence in enumerate(sentences[:5]):
        stripped, name = grammar.strip_lead_in(sentence)
        parsed = grammar.split_sentence(stripped)
        head_words = parsed.head.lower().split()
        if name or (head_words and head_words[-1] in FORM_HEADS and len(head_words) < 12):
            return position
        if stripped != sentence or (parsed.subject and pains.score(sentence) < 2):
            return position
        if head_words and head_words[0] in {"a", "an"} and parsed.clauses:
            return position
    return 0


_RELATIVE_TAIL = re.compile(
    r"\s(?:that|who|which|from companies|developing|deploying|specializing|with huge)\s(?!.*,\sand\s).*$"
)
_ATTRIBUTE = re.compile(
    r"\s(?:that|who|which|with huge|seeking|deploying|developing|facing|specializing|needing|looking|wanting|purchasing)\s"
)


def _read_labelled(lead: str, labels: dict[str, str], roles: Roles) -> None:
    """ "A B2B solution targeting X. to solve: Y", "Problem: ... Solution: ..."."""
    lead_plain = w.without_parentheses(lead)
    match = re.search(
        r"\s(?:targeting|aimed at|designed for|for)\s+(?P<who>.+)$", lead_plain, re.IGNORECASE | re.DOTALL
    )
    who = labels.get("audience") or (match["who"] if match else "")
    roles.head = lead_plain[: match.start()].strip(" .,") if match else lead_plain.strip(" .,")
    roles.main = lead_plain
    if who:
        first, _, more = w.without_parentheses(who).partition(". ")
        first = _RELATIVE_TAIL.sub("", first)
        for member in _members(first)[:8]:
            cut = _ATTRIBUTE.split(member)[0]
            kind = nouns.clean(re.sub(r"^(?:and|or|e\.g\.?)\s+", "", cut))
            if kind and (len(kind.split()) > 1 or nouns.is_actor_phrase(kind, lenient=True) or kind[0].isupper()):
                roles.add_audience(kind, first)
        if more:
            roles.things.append(more)
    for label in ("solution",):
        if labels.get(label):
            _read_main(labels[label], roles)
    if labels.get("problem"):
        sentences = w.sentences(labels["problem"])
        roles.pain_sentences = sentences
        phrase, basis = pains.best_problem(sentences)
        roles.set_problem(phrase, basis)
    elif lead and not roles.mechanisms:
        _read_main(lead, roles)
    _finish(roles)


def _members(text: str) -> list[str]:
    """The groups of a list; "pharmaceutical and biotech laboratories" stays one, its first half is no group."""
    members: list[str] = []
    for member in nouns.split_list(text):
        whole = re.search(re.escape(members[-1]) + r"\s(?:and|or)\s" + re.escape(member), text) if members else None
        if (
            whole
            and not nouns.is_actor_phrase(members[-1], lenient=True)
            and nouns.is_actor_phrase(member, lenient=True)
        ):
            members[-1] = whole.group()
        else:
            members.append(member)
    return members


def _read_main(source: str, roles: Roles) -> None:
    analogue = re.match(r"^(?:it's\s+|like\s+)?(?:an?\s+|the\s+)?(\w+)\s+for\s+(?P<what>.+)$", source, re.IGNORECASE)
    parsed = grammar.split_sentence(source)
    first = not roles.main
    if first:
        roles.main, roles.head = source.rstrip(" .!?"), parsed.head
    if analogue and analogue.group(1).lower() in ANALOGUES and first:
        roles.head = f"{ANALOGUES[analogue.group(1).lower()][0]} {'marketplace' if 'uber' in source.lower() or 'airbnb' in source.lower() else 'platform'}"
        roles.things.append(nouns.clean(re.split(r"\s(?:that|which|who|by|with)\s", analogue["what"])[0]))
    doing: list[tuple[Clause, list[VerbPhrase]]] = []
    for clause in parsed.clauses:
        _read_clause(clause, parsed, roles, doing)
    if first:
        _read_head(parsed, roles)
    _read_solution(doing, source, roles)


def _read_head(parsed: Sentence, roles: Roles) -> None:
    """ "clinic scheduling tool": the head's own words name an activity, and sometimes whose it is."""
    about = nouns.modifiers_without_form(parsed.head, FORM_WORDS, FORM_ADJECTIVES)
    if not about:
        return
    roles.about = about
    roles.things.append(about)
    roles.basis.setdefault("head", parsed.head)
    made = nouns.to_verb_phrase(about)
    words = about.split()
    if made and not roles.mechanisms:
        verb, obj = made
        owner = words[0].lower()
        if (
            len(words) == 2
            and nouns.is_actor(owner)
            and verb not in {"find", "recruit", "hire", "match", "validate", "detect", "rank"}
        ):
            if not roles.audiences:
                roles.add_audience(w.plural(words[0]), about)
            verb, obj = made[0], _GERUND_OBJECTS.get(words[-1].lower(), "")
            if not obj:
                return
        roles.mechanisms.append(VerbPhrase(verb, obj, clause="noun", basis=about, outer=f"{verb} {obj}"))
    elif (
        not roles.audiences
        and len(words) > 1
        and nouns.is_actor(words[0].lower())
        and not nouns.is_actor(words[-1].lower())
    ):
        roles.add_audience(w.plural(words[0]), about)


_GERUND_OBJECTS = {
    "scheduling": "appointments", "booking": "appointments", "budgeting": "spending", "invoicing": "invoices",
    "onboarding": "new members", "accounting": "accounts", "planning": "work", "billing": "bills",
    "management": "daily work", "marketing": "services", "hiring": "staff", "tracking": "progress",
}  # fmt: skip


def _read_clause(clause: Clause, parsed: Sentence, roles: Roles, doing: list[tuple[Clause, list[VerbPhrase]]]) -> None:
    source = parsed.source
    text = clause.text(source)
    kind = clause.kind.partition(":")[0]
    if kind == "for":
        _read_for(text, roles)
    elif kind in {"relative", "infinitive", "for-gerund", "by", "participle", "where", "so", "acting", "is"}:
        phrases = grammar.verb_phrases(clause, source)
        if kind in {"where", "so"} or not phrases:
            subject, rest = _actor_subject(clause, source)
            if subject:
                roles.add_audience(subject, text)
                phrases = grammar.parse_verbs(rest.tokens, source, kind)
        if not phrases and kind == "acting":
            return
        _read_phrases(phrases, kind, roles)
        doing.append((clause, phrases))
    elif kind == "with":
        _read_means(text, roles)
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
    elif kind in {"without", "instead"}:
        phrases = grammar.parse_verbs(clause.tokens, source, kind)
        hurts = phrases[0].gerund_form if phrases else nouns.clean(text)
        roles.set_problem(hurts, f"{'without' if kind == 'without' else 'instead of'} {text}")
        doing.append((clause, []))
    elif kind == "who":
        _read_who(clause, source, roles)
    elif kind == "because":
        roles.set_problem(pains.as_noun_phrase(text), text)


def _read_for(text: str, roles: Roles) -> None:
    whole = nouns.clean(re.split(r"\s(?:so|with which)\s", text)[0])
    for member in nouns.split_list(whole):
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
    wish = re.match(
        r"^(?:also\s+)?(?:want|need|would like|like|wish|try|hope|have|love)\s+to\s+(?P<what>.+)$", text, re.IGNORECASE
    )
    struggle = re.match(
        r"^(?:\w+ly\s+)?(?:struggle|suffer|deal|cope|fight|are tired|are frustrated|are fed up|worry|are overwhelmed)\s+(?:to|with|from|of|about|by)\s+(?P<what>.+)$",
        text, re.IGNORECASE,
    )  # fmt: skip
    negative = re.match(
        r"^(?:can't|cannot|can not|don't|do not|have no|lack|never|forget|lose|waste|miss|hate|fail)\b",
        text,
        re.IGNORECASE,
    )
    if wish:
        offset = wish.start("what") + clause.tokens[0].start
        tokens = [t for t in clause.tokens if t.start >= offset]
        _read_phrases(grammar.parse_verbs(tokens, source, "who", form="base"), "who", roles)
    elif struggle:
        what = struggle["what"]
        first, _, rest = what.partition(" ")
        roles.set_problem(f"{w.gerund(first.lower())} {rest}" if w.is_base_verb(first.lower()) and rest else what, text)
    elif negative:
        hurts = pains.as_noun_phrase(f"people {text}").removeprefix("people ")
        roles.set_problem(hurts, text)
    else:
        roles.things.append(text)


def _actor_subject(clause: Clause, source: str) -> tuple[str, Clause]:
    """("finance teams", clause from its verb on) for "finance teams pay them"; ("", clause) when no actor comes first."""
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
        if verb and nouns.is_actor(before[-1]):
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


def _read_phrases(phrases: list[VerbPhrase], kind: str, roles: Roles) -> None:
    for phrase in phrases:
        if phrase.audience:
            roles.add_audience(phrase.audience, phrase.basis)
        if phrase.base in MATCHING:
            _read_match(phrase, roles)
        _read_object(phrase, roles)
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
        return
    if phrase.adverb.lower() in {"never", "not", "no longer"}:
        roles.set_problem(f"{w.gerund(phrase.base)} {phrase.rest}", phrase.basis)
    elif less:
        roles.set_problem(f"{w.gerund(phrase.base)} {less['what']}", phrase.basis)
    elif phrase.base in {"protect", "improve", "increase"} | IMPROVING:
        return
    elif phrase.base == "save" and obj:
        roles.set_problem(f"losing {nouns.clean(obj)}", phrase.basis)
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
    if len(sides) == 2:
        sought = re.split(r"\s(?:who|that|by|using|based)\b", sides[1], maxsplit=1)[0]
        roles.set_problem(f"finding {nouns.clean(sought)}", phrase.basis, inferred=True)


def _read_object(phrase: VerbPhrase, roles: Roles) -> None:
    """Reads what stands behind the verb: means after "with", people and events after "for", vetted people."""
    rest = phrase.rest
    if phrase.base not in MATCHING:
        means = re.search(
            r"\swith\s+(?P<what>(?!each\b|other\b|the\b|their\b|a single\b|one\b).+)$", rest, re.IGNORECASE
        )
        if means and phrase.base not in {
            "integrate",
            "comply",
            "share",
            "work",
            "deal",
            "help",
            "replace",
            "compare",
            "meet",
            "trade",
        }:
            before = len(roles.mechanisms)
            _read_means(means["what"], roles)
            if len(roles.mechanisms) == before:
                roles.things.append(nouns.clean(means["what"]))
    for match in re.finditer(
        r"\bfor\s+(?P<what>[\w\s,’'-]+?)(?=\s(?:with|by|using|from|in|that|who|so|before|at|when)\b|[,.;]|$)", rest
    ):
        what = nouns.clean(match["what"])
        head = nouns.head_of(what)
        if nouns.is_actor_phrase(what):
            roles.add_audience(what, match.group())
        elif VERB_FOR_NOUN.get(head) == "book":
            roles.extras.append((f"Book {what}", match.group()))
    for match in re.finditer(r"\b(vetted|verified|certified|screened|rated|insured|trained)\s+(\w+(?:\s\w+)?)", rest):
        base = w.base_of_participle(match.group(1).lower())
        who = match.group(2).split()
        who = who if len(who) > 1 and nouns.is_actor(who[-1].lower()) else who[:1]
        if base and nouns.is_actor(who[-1].lower()):
            roles.extras.append((f"{base.capitalize()} {' '.join(who)}", match.group()))


def _read_means(text: str, roles: Roles) -> None:
    for member in nouns.split_list(text):
        made = nouns.to_verb_phrase(member)
        if made:
            roles.mechanisms.append(VerbPhrase(*made, clause="with", basis=member, outer=" ".join(made)))
        elif len(member.split()) <= 5 and member.lower() not in {"ai", "machine learning", "technology", "software"}:
            roles.things.append(member)


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
        marker = {"by": " by", "infinitive": " to", "with": " using", "so": " so", "without": " without", "instead": " instead of",
                  "participle": ",", "where": " where", "relative": " that"}.get(clause.kind.partition(":")[0])  # fmt: skip
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


def _read_other(sentence: str, roles: Roles) -> None:
    """A further sentence: "It also sends reminders", "Users can book online"."""
    stripped, _ = grammar.strip_lead_in(sentence)
    if pains.score(sentence) > 2.0:
        return
    parsed = grammar.split_sentence(stripped)
    if not parsed.subject:
        return
    for clause in parsed.clauses:
        if clause.kind in {"relative", "by", "for-gerund"}:
            _read_phrases(grammar.verb_phrases(clause, stripped), clause.kind, roles)


# What people do already, with effort: the job itself is then the (inferred) problem. What only a machine does is none.
JOBS = frozenset(
    """find choose plan manage track organise organize schedule validate prepare book learn compare split share pick
    discover hire rent sell buy cook write design study practice practise train budget invoice file apply store
    coordinate collect handle review verify translate transcribe repair arrange navigate understand grow build
    save monitor keep create edit teach meet give send deliver order match host memorise memorize reach""".split()
)


def _finish(roles: Roles) -> None:
    """Fills what follows from the rest, marked as inferred, and bounds the lists."""
    if not roles.mechanisms and not roles.labelled:
        roles.mechanisms = list(roles.outcomes)
    if not roles.solution and roles.mechanisms:
        roles.solution = w.join([m.base_form for m in roles.mechanisms[:3]])
        roles.basis.setdefault("solution", roles.mechanisms[0].basis)
    if not roles.problem:
        for phrase in roles.mechanisms:
            obj = re.split(r"\s(?:before|with|by|from|so|in|for|and|between)\s", f"{phrase.rest} ")[0]
            bad = {w.singular(t.lower) for t in w.tokenize(obj)} & PAINS
            if bad and (
                phrase.base in FINDING
                or phrase.base in REDUCING | {"monitor", "predict", "track", "manage", "handle", "chase", "resolve"}
            ):
                roles.set_problem(nouns.clean(obj), phrase.basis)
                break
    if not roles.problem:
        for phrase in roles.mechanisms:
            where = re.search(r"\b(where|when|how|what|which|whether)\s+(?:to\s+)?.+$", phrase.rest)
            if where:
                roles.set_problem(f"not knowing {where.group()}", phrase.basis, inferred=True)
                break
    if not roles.problem:
        job = next((m for m in roles.mechanisms if m.base in JOBS), None)
        if job:
            roles.set_problem(job.gerund_form, job.basis, inferred=True)
    roles.audiences = [a for a in w.unique(roles.audiences)][:AUDIENCES_MAX]
    seen: list[VerbPhrase] = []
    for phrase in roles.mechanisms:
        if phrase.rest and all(phrase.base_form.lower() != other.base_form.lower() for other in seen):
            seen.append(phrase)
    roles.mechanisms = seen[:MECHANISMS_MAX]
    roles.goal = _goal(roles)
    if not roles.mechanisms and roles.pain_sentences:
        asked = remedies.remedies(roles.pain_sentences)
        if asked and not roles.solution:
            roles.solution, roles.solution_inferred = w.join([phrase for phrase, _ in asked[:2]]), True
            roles.basis["solution"] = asked[0][1]
        if asked and not roles.goal:
            roles.goal = asked[0][0]


_GOAL_CHARS_MAX = 80


def _goal(roles: Roles) -> str:
    """The outcome, else what is found or known in the end, else the first thing that the product does."""
    for phrase in roles.outcomes:
        text = re.split(r"\s(?:with|by|using)\s", phrase.base_form)[0]
        if phrase.base not in MATCHING and len(text) <= _GOAL_CHARS_MAX and phrase.clause != "participle":
            return text
    if roles.problem.startswith("finding "):
        return "find " + roles.problem.removeprefix("finding ")
    if roles.problem.startswith("not knowing "):
        return "know " + roles.problem.removeprefix("not knowing ")
    for phrase in roles.mechanisms:
        text = re.split(r"\s(?:before|so that|using|because)\s", phrase.base_form)[0]
        if len(text) <= _GOAL_CHARS_MAX:
            return text
    return ""
