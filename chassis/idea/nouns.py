"""Noun phrases: cleaning their edges, their heads, people or things, and the verb phrases they stand for."""

from __future__ import annotations

import re
from collections.abc import Sequence

from chassis.idea import words as w
from chassis.idea.lexicon import (
    ACTOR_PAIRS,
    ACTOR_SUFFIXES,
    ACTORS,
    NOMINALISATIONS,
    NOT_ACTORS,
    PLACES_AS_ACTORS,
    VERB_FOR_NOUN,
)

_EDGE = frozenset("etc also just even only both either new".split())
_TRAILING = w.STOPWORDS | w.CONJUNCTIONS


def is_actor(word: str) -> bool:
    """Whether a lower-case noun names people or organisations."""
    base = w.singular(word)
    base = base.rpartition("-")[2] if "-" in base and base not in ACTORS else base
    if base in NOT_ACTORS:
        return base in ACTORS and base not in {"agent", "carrier"}
    return base in ACTORS or (len(base) > 5 and base.endswith(ACTOR_SUFFIXES))


def is_actor_pair(first: str, last: str) -> bool:
    """Whether two lower-case words name people or organisations only together ("funeral homes", "au pairs")."""
    return f"{first.replace('’', chr(39))} {w.singular(last)}" in ACTOR_PAIRS


def is_agent(word: str) -> bool:
    """Whether a lower-case noun is made from a verb with -er or -or ("bakers"): people where people can stand."""
    base = w.singular(word).rpartition("-")[2]
    return base not in NOT_ACTORS and base not in _DEVICES and bool(agent_verb(base))


def agent_verb(noun: str) -> str:
    """The verb behind a noun in -er or -or ("detector" -> "detect"); empty when there is none."""
    if not noun.endswith(("er", "or")) or len(noun) < 5:
        return ""
    stem = noun[:-2]
    candidates = [stem, stem + "e"]
    if len(stem) > 2 and stem[-1] == stem[-2]:
        candidates.append(stem[:-1])
    return next((c for c in candidates if w.is_base_verb(c)), "")


_DEVICES = frozenset(
    "detector finder checker blocker matcher booster mixer cutter router locker heater toaster cooker freezer "
    "dryer washer "
    "mower adapter connector selector loader helper optimiser holder shaker wrapper saver cleaner "
    "viewer".split()
)


def names_a_trade(word: str) -> bool:
    """Whether an -ing word before people says what they do ("letting agents") and is no verb."""
    return word in _TRADES


_TRADES = frozenset(
    "engineering training manufacturing consulting marketing accounting building shipping aging ageing growing "
    "working mining farming housing trading teaching publishing advertising nursing banking cleaning catering buying "
    "testing operating data-sharing letting hiring climbing driving swimming riding boarding fishing gaming living "
    "breeding planning purchasing catering brewing roofing painting sailing dancing wedding visiting nursing".split()
)


def has_actor(lower_words: Sequence[str]) -> bool:
    """Whether any of the words names people or organisations."""
    return any(is_actor(word) for word in lower_words)


def head_of(phrase: str) -> str:
    """The lower-case singular head of a noun phrase: its last word before a preposition or a clause."""
    head = ""
    for token in w.tokenize(phrase):
        if not token.is_word or (head and (token.lower in w.PREPOSITIONS or token.lower in w.SUBORDINATORS)):
            break
        if token.lower not in w.DETERMINERS:
            head = token.lower
    return w.singular(head)


def is_actor_phrase(phrase: str, *, lenient: bool = False) -> bool:
    """Whether a noun phrase names people or organisations; `lenient` after "for" or "targeting"."""
    head = head_of(phrase)
    words = re.split(r"\s(?:of|in|for|with|who|that|from|at|on|to)\s", phrase.lower(), maxsplit=1)[0].split()
    if is_actor(head) or (len(words) > 1 and is_actor_pair(words[-2], words[-1])):
        return True
    return lenient and (head in PLACES_AS_ACTORS or is_agent(head))


def clean(phrase: str) -> str:
    """The phrase without articles at its start and without function words or punctuation at its edges."""
    phrase = phrase.strip(" .,;:!?\"“”'‘’-–—/")
    while True:
        first, _, rest = phrase.partition(" ")
        lower = first.lower()
        if (
            rest
            and (lower in w.DETERMINERS or lower in w.CONJUNCTIONS or lower in _EDGE)
            and lower not in {"no", "every", "each"}
            # "new parents", "new hires": who they are; "a new app": nothing.
            and not (lower == "new" and is_actor(head_of(rest)))
        ):
            phrase = rest.lstrip(" ,;:")
            continue
        break
    while True:
        head, _, last = phrase.rpartition(" ")
        if (
            head
            and last.lower().strip(",") in _TRAILING
            and last.lower()
            not in {
                "faster",
                "better",
                "less",
                "more",
                "online",
                "together",
                "offline",
                "now",
                "again",
                "them",
                "it",
                "home",
            }
        ):
            phrase = head.rstrip(" ,;:")
            continue
        return phrase.strip(" ,;:")


def split_list(phrase: str) -> list[str]:
    """The members of "a, b, and c"; an "and" inside a member of a list with commas is kept apart too."""
    parts = re.split(r"\s*(?:,|;)\s*(?:and\s+|or\s+|as well as\s+)?|\s+(?:and|or|as well as|&)\s+", phrase)
    return [part for part in (clean(p) for p in parts) if part]


def to_verb_phrase(phrase: str) -> tuple[str, str] | None:
    """(base verb, object) for a noun phrase that stands for doing something, else None.

    "waitlist filling" -> ("fill", "the waitlist"); "idea validation" -> ("validate", "ideas"); "automatic
    reminders" -> ("send", "automatic reminders").
    """
    cleaned = clean(phrase)
    parts = cleaned.split()
    if not parts:
        return None
    last = parts[-1].lower()
    before = " ".join(parts[:-1])
    if last in {"training", "coaching"} and len(parts) > 1 and not is_actor(parts[-2].lower()):
        return "take", cleaned
    of = re.match(r"^(?P<act>[\w-]+)\s+of\s+(?P<what>.+)$", cleaned, re.IGNORECASE)
    if of and (verb := w.base_of_gerund(of["act"].lower()) or NOMINALISATIONS.get(w.singular(of["act"].lower()), "")):
        return verb, of["what"]
    singular = w.singular(last)
    if before and singular in VERB_FOR_NOUN and w.is_plural(last):
        return VERB_FOR_NOUN[singular], cleaned
    verb = (
        w.base_of_gerund(last)
        or NOMINALISATIONS.get(singular, "")
        or (agent_verb(singular) if singular in _DEVICES else "")
    )
    if verb == "fill" and before.lower().endswith("waitlist"):
        # Filled are the slots that fall free, with those who wait.
        return verb, f"open slots from {object_of(before)}"
    if verb and before:
        return verb, object_of(before)
    if singular in VERB_FOR_NOUN:
        return VERB_FOR_NOUN[singular], cleaned if before else w.plural(cleaned.lower()) if last.endswith(
            "ing"
        ) else object_of(cleaned)
    return None


def without_adverbs(phrase: str) -> str:
    """The phrase without adverbs at its end ("late payments automatically" -> "late payments")."""
    words = phrase.split()
    while len(words) > 1 and (
        words[-1].lower() in _TAIL_ADVERBS
        or (re.search(r"[a-z]{3}ly$", words[-1].lower()) and words[-1].lower() not in _LY_NOUNS)
    ):
        words.pop()
    return " ".join(words)


_TAIL_ADVERBS = frozenset("online nearby together instantly faster better".split())
_LY_NOUNS = frozenset(
    "family supply assembly reply monopoly anomaly butterfly elderly costly daily weekly monthly yearly "
    "friendly early likely deadly lonely ugly lovely timely".split()
)


def object_of(modifier: str) -> str:
    """A modifier as an object: "startup idea" -> "startup ideas", "waitlist" -> "the waitlist"."""
    words = modifier.split()
    while len(words) > 1 and words[0].lower() in {"automatic", "automated", "smart", "instant", "ai-powered", "easy"}:
        words = words[1:]
    last = words[-1].lower()
    if last in {"waitlist", "calendar", "team", "inbox", "budget", "supply", "home", "house", "inventory", "menu"}:
        return f"the {' '.join(words)}"
    if (
        last in MASS
        or w.is_plural(last)
        or last in w.STOPWORDS
        or words[-1].isupper()
        or last.endswith(("ing", "ance", "ence", "ness", "ity"))
    ):
        return " ".join(words)
    return " ".join([*words[:-1], w.plural(words[-1]) if words[-1].islower() else words[-1] + "s"])


MASS = frozenset(
    "fraud food waste water energy money time data information software music traffic health sleep weight inventory "
    "equipment furniture clothing clothes homework housework laundry news knowledge research evidence content "
    "feedback "
    "stress pain noise carbon electricity power language-learning vocabulary grammar screen weather soil stock access "
    "compliance spending income cash payroll mail e-mail email text speech code rent luggage literature irrigation "
    "risk credit care maintenance production talent churn demand supply quality safety security privacy identity "
    "mathematics math history art travel transport parking shipping freight cargo recycling coffee tea wine "
    "beer fish meat".split()
)


def modifiers_without_form(head: str, form_words: frozenset[str], adjectives: frozenset[str]) -> str:
    """What a head says about its subject ("AI-powered idea validation platform" -> "idea validation")."""
    words = [word for word in head.split() if word.lower().strip(",") not in w.DETERMINERS]
    while words and (words[-1].lower() in form_words or words[-1].lower() in {"and", "&", "or"}):
        words.pop()
    return " ".join(word for word in words if word.lower().strip(",") not in adjectives).strip(" ,")
