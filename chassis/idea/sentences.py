"""The sentences of an idea, and which of them only say why: what hurts comes first, then what is done about it."""

from __future__ import annotations

import re

from chassis.idea import grammar, leadin, pains, subjects
from chassis.idea import words as w
from chassis.idea.lexicon import FORM_HEADS

# "..., so a voice agent takes bookings", "..., we do it in one click", "... – we triage them by chat".
_JOINT = re.compile(
    r",\s+so\s+(?=(?:an?|the|our|we|my|this)\s)"
    r"|(?:,|\s[–—-]|:)\s+(?:so\s+|and\s+so\s+)?(?=(?:we|our\s+(?:app|tool|software|service|platform))\s)",
    re.IGNORECASE,
)
_CAUSE = re.compile(r"^(?:because|since|as)\s+", re.IGNORECASE)
# Whose doing a sentence tells: the founders', or the product's.
_OURS = re.compile(
    r"^(?:so[,:]?\s+)?(?:we|our|ours|this|here|let's|(?:i|we)(?:'m|'d|'ll)?\s+(?:\w+\s+)?"
    r"(?:want|would|will|built|made|am|build|make|plan|help|offer|sell))\b",
    re.IGNORECASE,
)
_SOLVING_QUESTION = re.compile(r"^(?:what if|how about|why not|could we|can we|imagine|wouldn't)\b", re.IGNORECASE)


def split(lead: str) -> tuple[list[str], frozenset[int]]:
    """(the sentences without parentheses, the positions of those that only say why the product is needed)."""
    found: list[str] = []
    causes: set[int] = set()
    for sentence in w.sentences(lead) or [lead]:
        parts = [part for part in map(str.strip, map(w.without_parentheses, _parts(sentence))) if part]
        causes.update(range(len(found), len(found) + len(parts) - 1))
        found.extend(_CAUSE.sub("", part) if i < len(parts) - 1 else part for i, part in enumerate(parts))
    found = found or [lead]
    ours = next((i for i, sentence in enumerate(found) if i and (is_ours(sentence) or _names_a_thing(sentence))), 0)
    if ours and not any(is_ours(sentence) for sentence in found[:ours]):
        causes.update(i for i in range(ours) if _tells_why(found[i]))
    return found, frozenset(causes)


def _parts(sentence: str) -> list[str]:
    """A sentence cut where its second half says what is done; one that opens with "When ..., we" stays whole."""
    first = sentence.split(maxsplit=1)[0].lower() if sentence.strip() else ""
    if first in subjects.OPENERS - {"because", "since", "as"}:
        return re.split(r",\s+so\s+(?=(?:an?|the|our|we|my)\s)", sentence)
    return [part for part in _JOINT.split(sentence) if part]


def is_ours(sentence: str) -> bool:
    """Whether a sentence speaks of the product or of those who make it."""
    if _OURS.match(sentence) or _SOLVING_QUESTION.match(sentence):
        return True
    stripped, name = leadin.strip_lead_in(sentence)
    if name or stripped != sentence:
        return True
    parsed = grammar.split_sentence(sentence)
    head = parsed.head.lower().split()
    return bool(head) and head[-1] in FORM_HEADS and len(head) < 12 and head[0] not in {"every", "each", "most"}


def _names_a_thing(sentence: str) -> bool:
    """Whether a sentence has no verb of its own: "RFID tags in the sole, a gate at the door, done."""
    parsed = grammar.split_sentence(sentence)
    verbless = not parsed.subject and pains.finite_verb(sentence) < 0 and subjects.find(sentence) is None
    return verbless and not sentence.endswith("?") and len(sentence.split()) > 2


def _tells_why(sentence: str) -> bool:
    """Whether a sentence before the product's own says what is wrong: it asks, complains, or is about people."""
    asks = sentence.endswith("?")
    return asks or pains.score(sentence) > 0.7 or (subjects.find(sentence) is not None and " and I " not in sentence)
