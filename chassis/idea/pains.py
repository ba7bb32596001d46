"""What hurts: reads sentences that complain, as a noun phrase, and what a product would have to do about them.

"It is impossible to test firmware in production" hurts as "being unable to test firmware in production" and asks for
"test firmware in production". A finite clause becomes a gerund clause ("networks are vulnerable" -> "networks being
vulnerable"), which stands wherever a noun phrase stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from chassis.idea import words as w
from chassis.idea.lexicon import HARD, HARM_VERBS, PAINS
from chassis.idea.nouns import clean
from chassis.idea.words import Token

PROBLEM_CHARS_MAX = 120
_PHRASE_WORDS_MAX = 10

_LEADING = re.compile(
    r"^(?:(?:however|but|yet|currently|today|now|worse|moreover|in addition|indeed|in fact|at the same time|nowadays|the problem(?: is)?"
    r"|problem|traditionally|often)\s*(?:that\s+)?[,:]?\s+)+",
    re.IGNORECASE,
)
_CUTS = (
    " due to ", ", leading to ", ", causing ", ", which ", ", making ", ", resulting ", " because ", ", slowing ",
    ", limiting ", ", threatening ", ", preventing ", ", costing ", ", ruining ", ", blocking ", ", while ", ", with ",
    ", but ", ", and ", ", especially ", ", particularly ", ", interrupting ", ", compromising ", ", retroactively ",
    ", extending ", ", exposing ", ", saturating ", ", unable ", ", or ", ", in the face of ", " in the face of ",
    " in the hope of ", ", risking ", ", as ", " even ", ", ", " — ", " – ", ": ", " without ", " during ", " with ", " through ",
    " in real time",
)  # fmt: skip
_FINITE_PLURAL = HARM_VERBS | frozenset(
    "operate rely use need have make contain lead remain destroy reach develop excel generate mandate manage do "
    "refuse fly depend encounter write share receive know say throw buy find spend get want leave forget arrive "
    "struggle wait pay run give often keep work see go".split()
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
    points += 1.5 * bool(re.match(r"\s*(?:however|but|yet|worse)\b", sentence, re.IGNORECASE)) if points else 0.0
    return points


def best_problem(sentences: list[str]) -> tuple[str, str]:
    """(problem as a noun phrase, the sentence it was read from) of sentences that state a problem; empty for none."""
    ranked = sorted(enumerate(sentences[:6]), key=lambda pair: (-(min(score(pair[1]), 6.0) - 0.9 * pair[0]), pair[0]))
    for _, sentence in ranked:
        phrase = as_noun_phrase(sentence)
        if len(phrase.split()) > 1:
            return phrase, sentence
    return "", ""


def as_noun_phrase(sentence: str) -> str:
    """The sentence as a noun or gerund phrase of at most 120 characters, without a final stop."""
    text = w.without_parentheses(sentence).strip(" .!?")
    text = _LEADING.sub("", text)
    text, condition = _without_leading_clause(text)
    hard = re.match(
        r"^(?:it(?:'s| is| becomes| gets| remains)\s+)?(?:almost |nearly |very |too |extremely )?(?P<how>impossible|difficult|hard|tedious|costly|expensive|"
        r"time-consuming)\s+(?:for\s+(?P<who>.+?)\s+)?to\s+(?P<what>.+)$",
        text,
        re.IGNORECASE,
    )
    if hard:
        who = f"{clean(hard['who'])} " if hard["who"] else ""
        manner = "being unable" if hard["how"].lower() == "impossible" else "finding it hard"
        return shorten(f"{who}{manner} to {hard['what']}")
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


def _without_leading_clause(text: str) -> tuple[str, str]:
    """Moves "When X fails, ..." to the end and drops "With X, ..." and "At X, ..."."""
    match = re.match(
        r"^(?P<lead>(?:when|if|once|with|at|in|for|to|within|given|as)\b[^,]{3,140}),\s+(?P<main>.+)$",
        text,
        re.IGNORECASE,
    )
    if not match or len(match["main"].split()) < 4:
        return text, ""
    if re.match(r"^(?:and|or)\b", match["main"], re.IGNORECASE):
        return text, ""
    lead = match["lead"]
    keep = lead.lower().startswith(("when", "if", "once"))
    return match["main"], w.decapitalise(re.sub(r"\s*[\"“”]", " ", lead)).strip() if keep else ""


def shorten(phrase: str) -> str:
    """At most 120 characters, cut where a clause ends if possible; no dangling word at the end."""
    phrase = phrase.strip(" .,;:")
    if len(phrase) > PROBLEM_CHARS_MAX:
        positions = sorted(phrase.find(cut) for cut in _CUTS if 30 <= phrase.find(cut) <= PROBLEM_CHARS_MAX)
        phrase = phrase[: positions[-1]] if positions else w.clip(phrase, PROBLEM_CHARS_MAX)
    phrase = re.sub(r"\s+", " ", phrase).strip(" .,;:–—-")
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
    for index, token in enumerate(tokens):
        previous = tokens[index - 1].lower if index else ""
        if token.lower in {"that", "which", "who", "where"} and index:
            relative = True
            continue
        is_finite = False
        if token.lower in w.AUXILIARIES | {"becomes", "become"} and index:
            is_finite = True
        elif index and previous not in w.DETERMINERS | w.PREPOSITIONS | w.AUXILIARIES | {"to"}:
            third = w.base_of_third(token.lower)
            following = tokens[index + 1].lower if index + 1 < len(tokens) else ""
            likely = third in _FINITE_PLURAL or following in w.DETERMINERS | w.PREPOSITIONS | {"from", "too"}
            if third and likely and not w.is_plural(previous) and following not in {"and", "or", ",", "of"}:
                is_finite = True
            before = (
                previous
                if not previous.endswith("ly") and previous != "often"
                else tokens[index - 2].lower
                if index > 1
                else ""
            )
            if (
                token.lower in _FINITE_PLURAL
                and (w.is_plural(before) or before in {"people", "they", "we", "i", "data"})
                and token.lower != "often"
            ):
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
        return text
    verb = tokens[index].lower
    subject = text[: tokens[index].start].strip()
    rest_at = tokens[index].end
    following = tokens[index + 1] if index + 1 < len(tokens) else None
    made = ""
    if verb in {"is", "are", "was", "were", "am", "isn't", "aren't"}:
        made = "being" if verb not in {"isn't", "aren't"} else "not being"
        if following is not None and following.lower.endswith("ing") and w.base_of_gerund(following.lower):
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
    return re.sub(r"\s+", " ", f"{subject} {made} {text[rest_at:].strip()}").strip()


def _end(text: str) -> str:
    """A noun phrase cut off where another clause begins, at most ten words."""
    text = re.split(
        r"[,;.:]|\s(?:because|due to|which|that|who|while|but|so|before|when|if|where|requires?|is|are|was|were|has|have|cannot|can|will|takes?|costs?"
        r"|by the arrival|according|according to|in the face|such as|or worse)\s",
        text.strip() + " ",
        maxsplit=1,
    )[0]
    parts = text.split()
    if len(parts) > _PHRASE_WORDS_MAX:
        text = " ".join(parts[:_PHRASE_WORDS_MAX])
        text = re.sub(r"\s(?:in|on|of|for|with|to|and|or|from|at|by|into)\s(?:\S+\s?){0,3}$", "", text)
    return clean(re.sub(r"^(?:these|this|those|its|their|such)\s+", "", text.strip(), flags=re.IGNORECASE))


def _do(text: str) -> str:
    """A verb phrase in base form from "test X", "testing X" or "physically testing X"; empty when there is no verb."""
    text = re.sub(r"^(?:\w+ly\s+)+", "", text.strip())
    first, _, rest = text.partition(" ")
    base = w.base_of_gerund(first.lower()) or (first.lower() if w.is_base_verb(first.lower()) else "")
    end = _end(rest)
    return f"{base} {end}" if base and end else ""


def _subject(sentence: str) -> str:
    tokens = w.tokenize(sentence)
    index = finite_verb(sentence)
    if index < 1:
        return ""
    text = sentence[: tokens[index].start].strip(" ,")
    text = re.sub(r"\s+(?:often|also|currently|increasingly|already|still|\w+ly)$", "", text)
    text = re.sub(r"^.*[,:]\s+", "", text)
    subject = clean(text)
    words = subject.lower().split()
    if not words or len(words) > 9 or words[0] in w.PRONOUNS | {"this", "there", "it", "solving"} or "that" in words:
        return ""
    return w.decapitalise(subject)


_Remedy = tuple[str, Callable[[re.Match[str], str], str]]
_TIME = r"(?:\w+\s+){0,3}?(?:milliseconds|seconds|minutes|hours|days|weeks|months|years|decades|time|supercomputer)"
_REMEDIES: tuple[_Remedy, ...] = (
    (r"\b(?:impossible|difficult|hard|unable|struggl\w+|fail(?:s|ing)?)\s+to\s+(?P<x>.+)", lambda m, s: _do(m["x"])),
    (r"\b(?:inability|impossibility)\s+(?:to|of)\s+(?P<x>.+)", lambda m, s: _do(m["x"])),
    (r"\bfails?\s+(?:\w+ly\s+)?at\s+(?P<x>.+)", lambda m, s: _do(m["x"])),
    (r"\b(?:do(?:es)? not|don't|doesn't|cannot|can't)\s+know\s+(?P<x>(?:where|what|which|how|when)\s.+)",
     lambda m, s: "show " + re.split(r"[,.;]", m["x"])[0].strip() if len(re.split(r"[,.;]", m["x"])[0]) < 70 else ""),
    (r"\b(?:lacks?|lacking|lack of|with no|have no|has no|without)\s+(?P<x>(?!frustrat|degrad|risk|break)(?!\w+ing\b).+)",
     lambda m, s: f"provide {_end(re.sub(r'^(?:a|an|the|true|any|proper)[ ]', '', m['x']))}"
     if len(_end(m["x"]).split()) > 1 else ""),
    (r"\b(?:rife|fraught|plagued|riddled|flooded)\s+(?:with|by)\s+(?P<x>[^.;]+?)(?:\s+and\s|[,.;]|$)", lambda m, s: f"detect {_end(m['x'])}"),
    (r"\bsuffers?\s+from\s+(?P<x>.+)", lambda m, s: f"reduce {_end(m['x'])}"),
    (r"\b(?:vulnerable|exposed|susceptible)\s+to\s+(?P<x>.+)", lambda m, s: f"protect against {_end(m['x'])}"),
    (r"\bto\s+(?:predict|design|test|map|audit|prove)\s+", lambda m, s: ""),
    (rf"\b(?:takes?|requires?|costs?|demands?|imposes?)\s+{_TIME}\b", lambda m, s: f"shorten {s}" if s else ""),
    (r"\bcosts?\s+(?:\w+\s+){0,2}?(?:millions|billions|thousands|dollars|euros|a lot)\b", lambda m, s: f"cut the cost of {s}" if s else ""),
    (r"\b(?:is|are)\s+(?:\w+\s+){0,2}?(?:too slow|slow)\b", lambda m, s: f"speed up {s}" if s else ""),
    (r"\b(?:is|are)\s+(?:\w+\s+){0,2}?(?:expensive|costly|prohibitive)\b", lambda m, s: f"cut the cost of {s}" if s else ""),
    (r"\b(?:are|is|being)\s+(?:often |then )?lost\b", lambda m, s: f"preserve {s}" if s else ""),
    (r"\bgenerates?\s+too\s+many\s+(?P<x>.+)", lambda m, s: f"reduce {_end(m['x'])}"),
    (r"\b(?:at risk of|risks? of|the risk of)\s+(?P<x>.+)", lambda m, s: f"reduce the risk of {_end(m['x'])}" if _end(m["x"]) else ""),
    (r"\bthreaten(?:s|ing)?\s+(?!to\b)(?P<x>.+)", lambda m, s: f"protect {_end(m['x'])}"),
    (r"\bthreaten(?:s|ing)?\s+to\s+(?P<x>.+)", lambda m, s: f"warn before {_gerund_of(m['x'])}" if _gerund_of(m["x"]) else ""),
    (r"\b(?:results? in|leads? to|leading to|causing|causes?|resulting in|induces?|display\w*)\s+(?P<x>.+)",
     lambda m, s: f"prevent {_end(m['x'])}" if _painful(_end(m["x"])) else ""),
    (r"\b(?:poor|inaccurate|imprecise|limited|insufficient)\s+(?P<x>\w[\w\s-]+)", lambda m, s: f"improve {_end(m['x'])}"
     if len(_end(m["x"]).split()) > 1 else ""),
    (r"\b(?:waste|lose|spend)\s+(?P<x>.+)", lambda m, s: f"save {_end(m['x'])}" if len(_end(m["x"]).split()) > 1 else ""),
    (r"\b(?:degrades?|destroys?|ruins?|hampers?|cripples?|destabilizes?|disrupts?|limits?|reduces)\s+(?P<x>.+)",
     lambda m, s: f"protect {_end(m['x'])}" if len(_end(m["x"]).split()) > 1 else ""),
    (r"\b(?:is|are)\s+(?:currently |often |mostly |intrinsically )?(?:managed|done|handled|made)\s+(?:by|with|manually|on)\b",
     lambda m, s: f"automate {s}" if s else ""),
    (r"\b(?:is|are)\s+a\s+(?:\w+,?\s+){0,3}?(?:manual|fragmented|slow|tedious)\b", lambda m, s: f"automate {s}" if s else ""),
)  # fmt: skip


def _gerund_of(text: str) -> str:
    done = _do(text)
    base, _, rest = done.partition(" ")
    return f"{w.gerund(base)} {rest}" if rest else ""


def _painful(phrase: str) -> bool:
    return bool(
        {w.singular(t.lower) for t in w.tokenize(phrase)}
        & (PAINS | HARD | {"catastrophic", "massive", "fatal", "devastating"})
    )


def remedies(sentences: list[str]) -> list[tuple[str, str]]:
    """(verb phrase in base form, the words it rests on) for what the sentences ask for, in their order."""
    found: list[tuple[str, str]] = []
    for sentence in sentences[:8]:
        text = w.without_parentheses(sentence).strip(" .!?")
        text = _LEADING.sub("", text)
        subject = _subject(text)
        hits: list[tuple[int, str, str]] = []
        for pattern, build in _REMEDIES:
            match = re.search(pattern, text, re.IGNORECASE)
            if match is None:
                continue
            phrase = re.sub(r"\s+", " ", build(match, subject)).strip()
            if 2 <= len(phrase.split()) <= 14 and not re.search(r"[\"“”]", phrase):
                hits.append((match.start(), phrase, w.clip(match.group().strip(), 80)))
        hits.sort(key=lambda hit: hit[0])
        found.extend((phrase, basis) for _, phrase, basis in hits)
    kept: list[tuple[str, str]] = []
    for phrase, basis in found:
        tail = set(phrase.lower().split()[1:])
        if all(len(tail & set(other.lower().split()[1:])) < 0.6 * len(tail) for other, _ in kept):
            kept.append((phrase, basis))
    return kept
