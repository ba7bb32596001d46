"""What a complaint asks for: "impossible to test firmware in production" asks to "test firmware in production".

Used where an idea states a problem and no solution: the phrases become the goal and the features, marked as inferred.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from chassis.idea import pains
from chassis.idea import words as w
from chassis.idea.lexicon import HARD, PAINS
from chassis.idea.nouns import MASS, clean, head_of, is_actor_phrase

_PHRASE_WORDS_MAX = 10
_CLAUSE_STARTS = re.compile(
    r"[;:.]|,|\s(?:because|due to|which|who|while|but|so|before|when|if|where|requires?|is|are|was|were|has|have|"
    r"cannot|can|will|according|such as|or worse|and even|making|until)\s"
)


def _end(text: str) -> str:
    """A noun phrase cut off where another clause begins, at most ten words; "the" and "a" stay."""
    text = text.strip() + " "
    text = re.split(r"\sthat\s", text, maxsplit=1)[0] + " "
    index = pains.finite_verb(text)
    if index > 0:
        text = text[: w.tokenize(text)[index].start] + " "
    head = _CLAUSE_STARTS.split(text, maxsplit=1)[0]
    tail = text[len(head) + 1 :]
    alone = re.fullmatch(r"\w+", head.strip()) and not w.is_plural(head.strip().lower())
    if text[len(head) : len(head) + 1] == "," and alone and len(tail.split()) > 1:
        # "deformable, fragile or unknown objects": the comma stands in a list of adjectives.
        head = f"{head}, {_CLAUSE_STARTS.split(tail, maxsplit=1)[0].strip()}"
    head = pains.without_coordinated(head)
    parts = head.split()
    if len(parts) > _PHRASE_WORDS_MAX:
        head = " ".join(parts[:_PHRASE_WORDS_MAX])
        head = re.sub(r"\s(?:in|on|of|for|with|to|and|or|from|at|by|into)\s(?:\S+\s?){0,3}$", "", head)
    head = re.sub(r"^(?:these|this|those|its|their|such)\s+", "", head.strip(), flags=re.IGNORECASE)
    head = re.sub(r"\sin (?:sectors|areas|environments|fields|the event of the loss)\s*$", "", head)
    article = re.match(r"^(?:the|an?)\s+", head, re.IGNORECASE)
    return (article.group().lower() if article else "") + clean(head)


def _do(text: str) -> str:
    """A verb phrase in base form from "test X", "testing X" or "physically testing X"; empty when there is no verb."""
    text = re.sub(r"^(?:\w+ly\s+(?:and\s+)?)+", "", text.strip())
    first, _, rest = text.partition(" ")
    base = w.base_of_gerund(first.lower()) or (first.lower() if w.is_base_verb(first.lower()) else "")
    if not base or base in {"be", "have", "do"}:
        return ""
    if rest.lower().startswith(("that ", "whether ", "where ", "how ")):
        end = re.split(r",|\sor\s|\sand\s", rest, maxsplit=1)[0]
        # A reduced relative clause ("inserted into a chain") only lengthens it.
        end = re.sub(
            r"\s(?:inserted|deployed|used|stored|placed)\s(?:into|in|on|by)\s.+?(?=\s(?:does|do|is|are|has|"
            r"have|will|can)\s)",
            "",
            end,
        )
        return f"{base} {end}" if 3 < len(end.split()) < 16 and len(end) < 90 else ""
    end = _end(rest)
    return f"{base} {end}" if end else ""


def _subject(sentence: str) -> str:
    """The subject of a sentence as an object: without its article, at most nine words; empty for pronouns."""
    tokens = w.tokenize(sentence)
    index = pains.finite_verb(sentence)
    if index < 1:
        return ""
    text = sentence[: tokens[index].start].strip(" ,")
    text = re.sub(r"^[^:]{3,40}:\s+", "", re.split(r"\sthat\s", text)[0])
    text = re.sub(r"\s+(?:often|also|currently|increasingly|already|still|\w+ly)$", "", text)
    subject = clean(text)
    words = subject.lower().split()
    if (
        not words
        or len(words) > 9
        or words[0] in w.PRONOUNS | {"this", "there", "it", "solving", "without", "companies"}
    ):
        return ""
    if "that" in words or "," in subject or words[0] in w.PREPOSITIONS:
        return ""
    return w.decapitalise(subject)


def sufferer(sentences: list[str]) -> str:
    """Who is said to suffer: the subject of the first sentence, where it names a group of people; else empty."""
    for sentence in pains.pieces(sentences)[:1]:
        subject = _subject(sentence)
        if (
            subject
            and is_actor_phrase(subject)
            and w.is_plural(subject.split()[-1].lower())
            and head_of(subject) != "person"
        ):
            return subject
    return ""


def _a(phrase: str) -> str:
    """The phrase with "a" where a countable singular wants it."""
    if not phrase or re.match(r"^(?:the|an?)\s", phrase):
        return phrase
    last = re.split(r"\s(?:of|in|for|with|into|to|capable|on|at)\s", phrase, maxsplit=1)[0].split()[-1].lower()
    mass = (
        last in MASS
        or w.is_plural(last)
        or last.endswith(("ity", "ion", "ness", "ance", "ence", "ing", "ics", "proof", "ship", "y"))
    )
    return phrase if mass else w.article(phrase)


def _painful(phrase: str) -> bool:
    bad = PAINS | HARD | {"catastrophic", "massive", "fatal", "devastating", "uncontrollable", "seasickness", "death"}
    return bool({w.singular(t.lower) for t in w.tokenize(phrase)} & bad)


def _long(phrase: str, lead: str, least: int = 2) -> str:
    return f"{lead} {phrase}" if len([x for x in phrase.split() if x not in {"the", "a", "an"}]) >= least else ""


def _prevent(phrase: str) -> str:
    risk = re.match(r"^(?:the |a )?risks? of (.+)$", phrase)
    if risk:
        return f"reduce the risk of {risk.group(1)}"
    return f"prevent {phrase}" if _painful(phrase) else ""


_Build = Callable[[re.Match[str], str], str]
_TIME = r"(?:\w+\s+){0,3}?(?:milliseconds|seconds|minutes|hours|days|weeks|months|years|decades|time)"
_ADV = r"(?:\w+ly\s+|very\s+|too\s+|so\s+|often\s+|currently\s+)*"
_REMEDIES: tuple[tuple[str, _Build], ...] = (
    (r"\b(?:impossible|difficult|hard|tricky|tedious|unable|struggl\w+|fail(?:s|ing)?|inability|"
    r"ability)\s+to\s+(?P<x>.+)",
     lambda m, s: _do(m["x"])),
    (r"\b(?:cannot|can\s?not|can't)\s+(?!know\b|be\b)(?P<x>.+)", lambda m, s: _do(m["x"])),
    (
        r"^(?P<s>.+?)\s(?:collapse|fail|break down|stop|crash|freeze)s?\s+when\s+(?P<x>.+)",
        lambda m, s: f"keep {w.decapitalise(_end(m['s']))} running when {re.split(r'[,;]| or ', m['x'])[0].strip()}",
    ),
    (
        rf"\brequires?\s+{_TIME}\s+of\s+(?P<x>.+)",
        lambda m, s: "" if s else _long(_end(re.split(r"\sor\s", m["x"])[0]), "shorten"),
    ),
    (r"\bimpossibility\s+of\s+(?P<x>.+)", lambda m, s: _do(m["x"])),
    (rf"^(?P<x>(?:\w+ly\s+(?:and\s+\w+ly\s+)?)?\w+ing\s.+?)\s(?:is|are)\s+{_ADV}(?:difficult|hard|impossible|"
    rf"tedious|challenging)\b",
     lambda m, s: _do(m["x"])),
    (r"\bfails?\s+(?:\w+ly\s+)?at\s+(?P<x>.+)", lambda m, s: _do(m["x"])),
    (r"\b(?:do(?:es)? not|don't|doesn't|cannot|can't)\s+know\s+(?P<x>(?:where|what|which|how|when)\s.+)",
     lambda m, s: "show " + re.split(r"[,.;]", m["x"])[0].strip() if len(re.split(r"[,.;]", m["x"])[0]) < 70
     else "show " + w.clip(re.split(r"[,.;]|\sin\s", m["x"])[0].strip(), 70)),
    (r"\b(?:lack of|lacks?|lacking|with no|have no|has no)\s+(?P<x>(?!longer\b)(?!to\b).+)",
     lambda m, s: _long(_a(_end(re.sub(r"^(?:true|any|proper)\s", "", m["x"]))), "provide",
                          1 if "the" in m["x"][:4] else 2)),
    (r"\bwithout\s+(?P<x>(?!frustrat|degrad|risk|break|\w+ing\b|this\b|it\b|effort\b).+)", lambda m, s: _long(_a(_end(m[
        "x"])),
        "provide")),
    (r"\b(?:rife|fraught|plagued|riddled)\s+(?:with|by)\s+(?P<x>[^.;]+)",
     lambda m, s: f"detect {w.clip(clean(m['x']), 60)}"),
    (r"\bflooded\s+with\s+(?P<x>.+)", lambda m, s: f"filter {_end(m['x'])}"),
    (r"\bsuffers?\s+from\s+(?P<x>.+)", lambda m, s: f"reduce {_end(m['x'])}"),
    (r"\b(?:vulnerable|exposed|susceptible)\s+to\s+(?P<x>(?![“\"]).+)", lambda m, s: _long(_end(m["x"]),
        "protect against", 1)),
    (r"\b(?:vulnerable|exposed|susceptible)\s+to\s+(?P<x>[“\"][^”\"]+[”\"]\s*\w*)", lambda m, s: "protect against " + m[
        "x"].strip()),
    (r"^the\s+(?P<x>[“\"][^”\"]+[”\"]\s*(?:threat|attack))s?\b", lambda m, s: "protect against the " + m["x"].strip()),
    (r"\bexpos(?:ing|es?)\s+(?P<x>.+?)\s+to\s+(?P<y>.+)", lambda m, s: f"protect {_end(m['x'])} from {_end(m['y'])}"
     if 1 < len(_end(m["x"]).split()) < 8 and _end(m["y"]) else ""),
    (r"\b(?:is|are)\s+(?:\w+ly\s+)?vulnerable\b(?!\s+to)", lambda m, s: f"protect {s}" if s else ""),
    (rf"\b(?:takes?|requires?|costs?|demands?)\s+{_TIME}\b", lambda m, s: f"shorten {s}" if s else ""),
    (r"\bcosts?\s+(?:\w+\s+){0,2}?(?:millions|billions|thousands|dollars|euros|a lot)\b", lambda m, s:
        f"cut the cost of {s}" if s else
        ""),
    (r"\b(?:is|are)\s+(?:\w+,?\s+){0,2}?(?:too\s+)?slow\b", lambda m, s: f"speed up {s}" if s else ""),
    (r"\b(?:is|are)\s+(?:\w+\s+){0,2}?(?:expensive|costly|prohibitive)\b",
     lambda m, s: (f"prevent {s}" if _painful(s) else f"cut the cost of {s}") if s else ""),
    (r"\b(?:are|is|being)\s+(?:often |then )?lost\b", lambda m, s: f"preserve {s}" if s else ""),
    (r"\bgenerates?\s+too\s+many\s+(?P<x>.+)", lambda m, s: f"reduce {_end(m['x'])}"),
    (r"\bconsumes?\s+too\s+much\s+(?P<x>\w+)", lambda m, s: f"cut the {m['x']} used by {s}" if s else
        f"cut {m['x']} use"),
    (r"\b(?:saturated|clogged|overloaded)\s+(?:by|with)\s+(?P<x>.+)", lambda m, s: f"reduce {_end(m['x'])}"),
    (r"\b(?:clogs?|saturates?|saturating|overloads?)\s+(?P<x>.+)", lambda m, s: _long(_end(m["x"]), "relieve")),
    (r"\b(?:is|are)\s+(?:increasingly |heavily )?(?:saturated|congested|crowded)\b", lambda m, s:
        f"reduce congestion in {s}" if s else
        ""),
    (r"\bcarry out\s+(?P<x>(?:costly|expensive|manual|tedious)\s.+)", lambda m, s: f"avoid {_end(m['x'])}"),
    (r"\b(?:risks? of|the risk of|for fear of)\s+(?P<x>.+)", lambda m, s: _long(_end(m["x"]), "reduce the risk "
    "of", 1)),
    (r"\bthreaten(?:s|ing)?\s+(?!to\b)(?P<x>.+)", lambda m, s: f"protect {_end(m['x'])}"),
    (r"\bthreaten(?:s|ing)?\s+to\s+break\s+(?P<x>.+)", lambda m, s: f"replace {_end(m['x'])} before "
    f"{'they break' if w.is_plural(_end(m['x']).split()[-1]) else 'it breaks'}"
     if _end(m["x"]) else ""),
    (r"\b(?:results? in|leads? to|leading to|causing|causes?|resulting in|induces?|display\w*|generates? "
    r"uncontrollable)\s+(?P<x>.+)",
     lambda m, s: _prevent(_end(m["x"]))),
    (r"\b(?:inherits?|introduc\w+|contains?)\s+(?P<x>(?:a|an|undetectable|critical)\s.+)", lambda m, s:
        f"detect {_end(m['x'])}" if _painful(_end(m[
        "x"])) or
        "backdoor" in m[
        "x"] else
        ""),
    (r"\b(?:poor|inaccurate|imprecise|insufficient|terrible)\s+(?P<x>(?!indicator)\w[\w\s-]+)",
     lambda m, s: _long(_end(m[
        "x"]),
        "improve")),
    (r"\b(?:compromis(?:ed|ing)|tampered|counterfeit|forged)\s+(?P<x>.+)", lambda m, s: f"detect compromised "
    f"{_end(m['x'])}" if m.group().lower().startswith(
        "compromised") and len(_end(m[
        "x"]).split()) < 6 else
        ""),
    (r"\b(?:waste|lose|spend)s?\s+(?P<x>(?!takes|is|are|of)(?:\w+\s+)?\w+.+)", lambda m, s: _long(_end(m["x"]),
        "save")),
    (r"\b(?:degrades?|destroys?|ruins?|hampers?|cripples?|destabilizes?|destabilizing|unbalancing|disrupts?|"
    r"limits(?!\sof)|reduces|limiting)\s+(?P<x>.+)",
     lambda m, s: _long(re.sub(r"\sby up to.*$", "", _end(m["x"])), "protect", 1 if m["x"].startswith("the ") else 2)),
    # What is gone cannot be protected: "removes the rotating inertia".
    (r"\b(?:removes?|eliminates?)\s+(?P<x>.+)",
     lambda m, s: _long(_end(re.sub(r"[“”\"]", "", m["x"])), "make up for", 1 if m["x"].startswith("the ") else 2)),
    (r"\b(?:is|are)\s+(?:currently |often |mostly )?(?:managed|done|handled|made)\s+(?:by|with|manually|on)\b",
     lambda m, s:
        f"automate {s}" if s else
        ""),
    (r"\b(?:is|are)\s+a\s+(?:\w+,?\s+){0,3}?(?:manual|fragmented|slow|tedious)\b",
     lambda m, s: f"automate {s}" if s else
        ""),
    (r"\brequires?\s+replacing\s+(?P<x>.+)", lambda m, s: f"replace {_end(m['x'])}"),
    (r"\brequires?\s+(?:slow|expensive|manual|heavy|costly)(?:(?!\band "
    r"take)[\w\s,])*?\s(?P<x>\w+(?:\s\w+)?)(?=,|\.|$|\swhich)", lambda m, s:
        f"replace {'manual ' if 'manual' in m.group() and not m['x'].startswith('manual') else ''}{_end(m['x'])}"),
    (r"\b(?:is|are)\s+(?:\w+ly\s+)?(?:extremely\s+)?complex\b", lambda m, s: f"simplify {s}" if s else ""),
    (r"\b(?:is|are)\s+(?:\w+ly\s+)?insecure\b", lambda m, s: f"secure the {s}" if s else ""),
    (r"\bbottleneck of\s+.+\bbut\s+(?P<x>.+)", lambda m, s: f"raise {_end(m['x'])}"),
)  # fmt: skip


def remedies(sentences: list[str]) -> list[tuple[str, str]]:
    """(verb phrase in base form, the words it rests on) for what the sentences ask for, in their order."""
    found: list[tuple[str, str]] = []
    for sentence in pains.pieces(sentences):
        text, _ = pains.without_leading_clause(sentence)
        subject = _subject(text)
        hits: list[tuple[int, str, str]] = []
        for pattern, build in _REMEDIES:
            match = re.search(pattern, text, re.IGNORECASE)
            if match is None:
                continue
            phrase = re.sub(r"\s+", " ", build(match, subject)).strip(" ,")
            balanced = phrase.count("“") == phrase.count("”") and not phrase.count('"') % 2
            if 2 <= len(phrase.split()) <= 15 and balanced and phrase.split()[-1].lower() not in w.STOPWORDS:
                hits.append((match.start(), phrase, w.clip(match.group().strip(), 80)))
        hits.sort(key=lambda hit: hit[0])
        found.extend((phrase, basis) for _, phrase, basis in hits)
    kept: list[tuple[str, str]] = []
    for phrase, basis in found:
        tail = {w.lemma(x) for x in phrase.lower().split()[1:]} - w.STOPWORDS
        others = [{w.lemma(x) for x in other.lower().split()[1:]} - w.STOPWORDS for other, _ in kept]
        if tail and all(len(tail & other) < 0.6 * min(len(tail), len(other) or 1) for other in others):
            kept.append((phrase, basis))
    return kept
