"""What hurts: reads sentences that complain, as a noun phrase, and what a product would have to do about them.

"It is impossible to test firmware in production" hurts as "being unable to test firmware in production" and asks for
"test firmware in production". A finite clause becomes a gerund clause ("networks are vulnerable" -> "networks being
vulnerable"), which stands wherever a noun phrase stands.
"""

from __future__ import annotations

import re

from chassis.idea import subjects
from chassis.idea import words as w
from chassis.idea.lexicon import HARD, HARM_VERBS, PAINS
from chassis.idea.nouns import clean, is_actor_phrase
from chassis.idea.verbs import MOSTLY_NOUNS
from chassis.idea.words import Token

PROBLEM_CHARS_MAX = 120
# A longer subject loses its attributes: the verb says what hurts.
_SUBJECT_CHARS_MAX = 55

_LEADING = re.compile(
    r"^(?:(?:however|but|yet|currently|today|now|worse|moreover|in addition|indeed|in fact|at the same time|"
    r"nowadays|the problem(?: is)?"
    r"|problem|traditionally|often)\s*(?:that\s+)?[,:]?\s+)+",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"^(?:(?:why|how come|how)\s+(?:do|does|is|are|must|should)|(?:are|were)\s+you|ever(?:\s+been)?|"
    r"do\s+you)\s+", re.IGNORECASE
)  # fmt: skip
_CUTS = (
    " due to ", ", leading to ", ", causing ", ", which ", ", making ", ", resulting ", " because ", ", slowing ",
    ", limiting ", ", threatening ", ", preventing ", ", costing ", ", ruining ", ", blocking ", ", while ", ", with ",
    ", but ", ", and ", ", especially ", ", particularly ", ", interrupting ", ", compromising ", ", retroactively ",
    ", extending ", ", exposing ", ", saturating ", ", unable ", ", or ", ", in the face of ", " in the face of ",
    " in the hope of ", ", risking ", ", as ", " even ", ", ", " — ", " – ", ": ", " without ", " during ", " with ",
    " through ",
    " in real time",
)  # fmt: skip
_FINITE_PLURAL = HARM_VERBS | frozenset(
    "operate rely use need have make contain lead remain destroy reach develop excel generate mandate manage do "
    "refuse fly depend encounter write share receive know say throw buy find spend get want leave forget arrive "
    "struggle wait pay run give often keep work see go inherit perform consume create impose suffer approach "
    "face allow prohibit".split()
)

# Harm verbs whose -s form is as often a plural noun ("fire risks").
_NOUNS_TOO = frozenset("risk cost hit limit break crash waste work need result lead run keep find".split())
# What follows one of them is a verb.
_SURELY = frozenset("always never often usually sometimes still rarely".split())
_NEVER_NOUNS = frozenset("generate take require destroy fail consume perform inherit create suffer lack".split())


_COMPLAINTS = re.compile(
    r"\b(?:(?:is|are) (?:such )?a (?:real )?(?:pain|hassle|nightmare|headache|mess)|"
    r"(?:nobody|no one|hardly anyone) \w+|"
    r"throw(?:s|ing)? (?:\w+ )?away|wait(?:s|ing)? (?:for )?(?:hours|days|weeks|months|ages)|"
    r"takes? (?:hours|days|weeks|months|ages|forever)|(?:hate|dread)s?|(?:sick|tired) of|never knows?|"
    r"ends? (?:up|in)|struggl\w+|too (?:much|many|little|few|late))\b",
    re.IGNORECASE,
)


def score(sentence: str) -> float:
    """How much a sentence complains; 0 when it does not."""
    lowered = [t.lower for t in w.tokenize(sentence)]
    lemmas = {w.singular(word) for word in lowered}
    points = 1.0 * len(lemmas & PAINS) + 1.2 * len(set(lowered) & HARD)
    points += sum(0.8 for word in lowered if (w.base_of_third(word) or word) in HARM_VERBS)
    points += 1.0 * bool(
        re.search(
            r"\btoo (?:many|much|slow|\w+)\b|\bno longer\b|\b(?:do|does|can|could) ?n[o']t\b|\bcannot\b|\bnever\b",
            sentence,
            re.I,
        )
    )
    points += 1.2 * len(_COMPLAINTS.findall(sentence))
    points += 1.5 * bool(re.match(r"\s*(?:however|but|yet|worse)\b", sentence, re.IGNORECASE)) if points else 0.0
    return points


def best_problem(sentences: list[str]) -> tuple[str, str]:
    """(problem as a noun phrase, the sentence it was read from) of sentences that state a problem; empty for none."""
    parts = pieces(sentences)
    ranked = sorted(enumerate(parts), key=lambda pair: (-(_weight(pair[1]) - 0.7 * pair[0]), pair[0]))
    for _, sentence in ranked:
        phrase = as_noun_phrase(sentence)
        if len(phrase.split()) > 1:
            return phrase, sentence
    return "", ""


def _weight(sentence: str) -> float:
    points = min(score(sentence), 5.0)
    text, _ = without_leading_clause(sentence)
    if re.match(
        r"^(?:they|it|this|these|that|those|we|he|she)\b(?!\s+is\s+(?:\w+ly )?(?:impossible|difficult|hard))",
        text,
        re.IGNORECASE,
    ):
        points -= 2.0
    if re.match(r"^(?:the solution|the urgency|the goal|our)\b", text, re.IGNORECASE):
        points -= 5.0
    return points


def pieces(sentences: list[str]) -> list[str]:
    """The sentences without brackets and openers such as "However,"; what follows ", but" stands alone."""
    made: list[str] = []
    for sentence in sentences[:8]:
        text = _LEADING.sub("", without_brackets(sentence))
        head, but, tail = text.partition(", but ")
        if but and len(tail.split()) > 3:
            tokens = w.tokenize(tail)
            verb = tokens[0].lower if tokens else ""
            if verb in _FINITE_PLURAL or verb in w.AUXILIARIES or w.base_of_third(verb) or verb == "often":
                index = finite_verb(head)
                subject = head[: w.tokenize(head)[index].start].strip() if index > 0 else ""
                tail = f"{subject} {tail}" if subject else tail
            # What follows "but" complains; it goes first.
            made.extend((tail, head))
        else:
            made.append(text)
    return [text for text in made if text]


def without_brackets(sentence: str) -> str:
    """The sentence without brackets and without its final stop."""
    return w.without_parentheses(sentence).strip(" .!?")


def without_coordinated(text: str) -> str:
    """Cuts a second finite verb off a phrase: "rigid manipulation and makes work dangerous" -> "rigid manipulation"."""
    tokens = w.tokenize(text)
    for index, token in enumerate(tokens[:-1]):
        if token.lower not in {"and", "or", "but"} or index == 0:
            continue
        at = index + 1
        while at < len(tokens) - 1 and (
            tokens[at].lower.endswith("ly") or tokens[at].lower in {"only", "often", "then"}
        ):
            at += 1
        word = tokens[at].lower
        following = tokens[at + 1].lower if at + 1 < len(tokens) else ""
        base = w.base_of_third(word)
        plural = (
            word in _FINITE_PLURAL and word not in _NOUNS_TOO and bool(following) and following not in {"of", "and"}
        )
        third = (
            bool(base)
            and bool(following)
            and following not in {"of", "and", "or", ",", "in"}
            and base not in MOSTLY_NOUNS
        )
        gerund = bool(w.base_of_gerund(word)) and following in w.DETERMINERS
        if word in w.AUXILIARIES or plural or third or gerund:
            return text[: tokens[index].start].rstrip(" ,")
    return text


def as_noun_phrase(sentence: str) -> str:
    """The sentence as a noun or gerund phrase of at most 120 characters, without a final stop."""
    text = without_brackets(sentence)
    text = _QUESTION.sub("", _LEADING.sub("", text))
    text, condition = without_leading_clause(text)
    hard = re.match(
        r"^(?:it(?:'s| is| becomes| gets| remains)?\s+)?(?:so |almost |nearly |very |too |extremely "
        r")?(?P<how>impossible|difficult|hard|tedious|costly|expensive|"
        r"time-consuming)\s+(?:for\s+(?P<who>.+?)\s+)?to\s+(?P<what>.+)$",
        text,
        re.IGNORECASE,
    )
    if hard:
        who = f"{clean(hard['who'])} " if hard["who"] else ""
        manner = "being unable" if hard["how"].lower() == "impossible" else "finding it hard"
        return shorten(f"{who}{manner} to {hard['what']}")
    ignorant = re.match(
        r"^(?P<who>[\w\s-]{3,40}?)\s+never\s+(?:really\s+)?(?P<verb>\w+)\s+(?P<what>.+)$", text, re.IGNORECASE
    )
    if ignorant and w.is_base_verb(ignorant["verb"].lower()) and is_actor_phrase(ignorant["who"], lenient=True):
        return shorten(f"not {w.gerund(ignorant['verb'].lower())} {ignorant['what']}")
    kept = re.match(
        r"^(?:is there (?:a|any|no) way to |how (?:to|can (?:we|you|i)) )?"
        r"(?:stop|prevent|keep)\s+(?P<who>[\w\s'’-]{3,50}?)\s+"
        r"from\s+(?P<what>\w+ing\s.+)$",
        text,
        re.IGNORECASE,
    )
    if kept:
        return shorten(f"{kept['who']} {kept['what']}")
    head, colon, tail = text.partition(": ")
    if colon and len(tail.split()) > 3 and not _finite(w.tokenize(head)):
        text = tail
    made = _gerund_clause(text)
    made = re.sub(
        r"^(?:the|a|an|its|their|our|this|these)\s+(?=\w+.*\b(?:being|having|\w+ing)\b)", "", made, flags=re.IGNORECASE
    )
    if condition and len(made) + len(condition) < PROBLEM_CHARS_MAX:
        made = f"{made} {condition}"
    return shorten(w.decapitalise(made))


def without_leading_clause(text: str) -> tuple[str, str]:
    """Moves "When X fails, ..." to the end and drops "With X, ..." and "At X, ..."."""
    match = re.match(
        r"^(?P<lead>(?:when|if|once|with|at|in|for|to|within|given|as|without)\b[^,]{3,140}),\s+(?P<main>.+)$",
        text,
        re.IGNORECASE,
    )
    if not match or len(match["main"].split()) < 4:
        return text, ""
    pronoun = re.search(r",\s+(?P<main>(?:they|it|we|you)\s.+)$", text)
    if re.match(r"^(?:and|or|in|at|on|when|if|with)\b", match["main"], re.IGNORECASE):
        return (pronoun["main"], "") if pronoun else (text, "")
    lead = match["lead"]
    keep = lead.lower().startswith(("when", "if", "once"))
    return match["main"], w.decapitalise(re.sub(r"\s*[\"“”]", " ", lead)).strip() if keep else ""


def shorten(phrase: str) -> str:
    """At most 120 characters, cut where a clause ends if possible; no dangling word at the end."""
    phrase = phrase.strip(" .,;:")
    if len(phrase) > PROBLEM_CHARS_MAX:
        quoted = _quoted(phrase)
        places = (phrase.find(cut) for cut in _CUTS)
        positions = sorted(
            at for at in places if 30 <= at <= PROBLEM_CHARS_MAX and not any(a < at < b for a, b in quoted)
        )
        phrase = phrase[: positions[-1]] if positions else w.clip(phrase, PROBLEM_CHARS_MAX)
    # "coordinating millions of vehicles being a large-scale stochastic": the verdict on it was cut off, it goes.
    cut_off = re.search(r"\sbeing an?\s[\w\s-]{3,60}$", phrase)
    if cut_off and len(phrase) > PROBLEM_CHARS_MAX - 25 and len(phrase[: cut_off.start()].split()) > 3:
        phrase = phrase[: cut_off.start()]
    phrase = re.sub(r",\s\w+ing$", "", re.sub(r"\s+", " ", phrase).strip(" .,;:–—-"))
    if phrase.count('"') % 2 or phrase.count("“") != phrase.count("”"):
        phrase = re.sub(r"[\"“”]", "", phrase)
    return (
        w.clip(phrase + " ", len(phrase))
        if phrase.rpartition(" ")[2].lower() in w.STOPWORDS - {"less", "more", "them", "it", "online"}
        else phrase
    )


def _quoted(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"“[^”]*”|\"[^\"]*\"", text)]


def finite_verb(text: str) -> int:
    """Index of the token that is the main finite verb, or -1."""
    tokens = w.tokenize(text)
    quoted = _quoted(text)
    return _finite([t if not any(a <= t.start < b for a, b in quoted) else t._replace(lower="“") for t in tokens])


def _finite(tokens: list[Token]) -> int:
    relative = False
    any_plural = False
    for index, token in enumerate(tokens):
        previous = tokens[index - 1].lower if index else ""
        any_plural = any_plural or w.is_plural(previous)
        if token.lower in {"that", "which", "who", "where"} and index:
            relative = True
            continue
        is_finite = False
        if previous in _SURELY and index > 1 and w.base_of_third(token.lower):
            is_finite = True
        if token.lower in w.AUXILIARIES | {"becomes", "become"} and index:
            is_finite = True
        elif index and (
            previous not in w.DETERMINERS | w.PREPOSITIONS | w.AUXILIARIES | {"to"}
            or (index == 1 and previous in {"this", "that", "it"})
        ):
            third = w.base_of_third(token.lower)
            following = tokens[index + 1].lower if index + 1 < len(tokens) else ""
            harmful = third in _FINITE_PLURAL and third not in _NOUNS_TOO
            likely = third in _FINITE_PLURAL or following in w.DETERMINERS | w.PREPOSITIONS | {"from", "too"}
            if (
                third
                and likely
                and third not in MOSTLY_NOUNS - HARM_VERBS
                and (harmful or not w.is_plural(previous))
                and following not in {"and", "or", ",", "of"}
            ):
                is_finite = True
            before = previous
            if previous.endswith("ly") or previous in {"often", "mostly", "also"}:
                before = tokens[index - 2].lower if index > 1 else ""
            plural_subject = (
                w.is_plural(before) or before.endswith("%") or before in {"people", "they", "we", "i", "data"}
            )
            if token.lower in _NEVER_NOUNS:
                plural_subject = plural_subject or any_plural
            if token.lower in _FINITE_PLURAL and plural_subject and token.lower != "often":
                is_finite = True
        if is_finite:
            if relative:
                relative = False
                continue
            return index
    return -1


def _gerund_clause(text: str) -> str:
    tokens = w.tokenize(text)
    index = finite_verb(text)
    if index < 1:
        found = subjects.find(text)
        if found is None or not text.endswith(found.source):
            return text
        index = len(tokens) - len(found.verb_on)
    verb = tokens[index].lower
    subject = text[: tokens[index].start].strip()
    if len(subject) > _SUBJECT_CHARS_MAX:
        core = re.split(r"\s(?:with|that|which|including|like|inserted)\s|,\s", subject, maxsplit=1)[0]
        subject = core if len(core.split()) > 1 else subject
    rest_at = tokens[index].end
    following = tokens[index + 1] if index + 1 < len(tokens) else None
    made = ""
    if verb in {"is", "are", "was", "were", "am", "isn't", "aren't"}:
        made = "being" if verb not in {"isn't", "aren't"} else "not being"
        if following is not None and following.lower.endswith("ing"):
            made = ""
    elif verb in {"has", "have", "had"}:
        made = "having"
    elif verb in {"cannot", "can't", "couldn't"} or (
        verb in {"can", "could"} and following is not None and following.lower == "not"
    ):
        made = "being unable to"
        if following is not None and following.lower == "not":
            rest_at = following.end
    elif verb in {"do", "does", "don't", "doesn't"}:
        at = index + 1
        if following is not None and following.lower == "not":
            at += 1
        if at < len(tokens):
            base = tokens[at].lower
            made, rest_at = f"not {w.gerund(base) if w.is_base_verb(base) else base}", tokens[at].end
    elif verb in {"can", "will", "would", "could", "may", "might", "should", "must"}:
        at = index + 1
        while at < len(tokens) - 1 and tokens[at].lower.endswith("ly"):
            at += 1
        if at < len(tokens):
            base = tokens[at].lower
            made, rest_at = w.gerund(base) if w.is_base_verb(base) else base, tokens[at].end
    else:
        made = w.gerund(w.base_of_third(verb) or verb)
    if subject.lower() in {"people", "we", "i", "they", "it", "you", "many people", "most people"}:
        subject = ""
    rest = without_coordinated(text[rest_at:].strip())
    return re.sub(r"\s+", " ", f"{subject} {made} {rest}").strip()
