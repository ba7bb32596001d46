"""What the product's doing means for its user: what it shows, they see; what it sends, they get."""

from __future__ import annotations

import re
from collections.abc import Sequence

from chassis.idea.grammar import VerbPhrase
from chassis.idea.verbs import INFORMING

# Verbs whose object moves to the user: "delivers lunches to kids", "sends parents a box of diapers".
HANDING = frozenset("send deliver bring provide give offer supply ship mail serve lend".split())
# What one side does, and what the other side does then.
FLIPPED = {"rent": "rent", "sell": "buy", "resell": "buy", "lease": "lease", "lend": "borrow", "loan": "borrow"}
KEEPING = frozenset("stop prevent keep protect save".split())
_ADVISING = frozenset("mentor advise help support guide assist coach".split())
_SEEING = frozenset("show".split())
_WARNING = {
    "warn": "be warned",
    "alert": "be alerted",
    "notify": "be told",
    "prompt": "be prompted",
    "nudge": "be nudged",
}
_KNOWING = frozenset("tell inform advise update".split())
_ENDS = re.compile(r"\s(?:before|so that|using|because|for \$|at \$)\s?")


def goal_of(phrase: VerbPhrase, audiences: Sequence[str]) -> str:
    """What users get to do through a mechanism, as a verb phrase in base form; empty where nothing is left.

    "show tenants which appliance wastes power" -> "see which appliance wastes power";
    "send coffee to remote workers" -> "get coffee"; "track expiry dates" stays.
    """
    rest = phrase.rest
    told = phrase.audience if phrase.audience and rest.startswith(phrase.audience) else ""
    told = told or next((a for a in audiences if rest.lower().startswith(f"{a.lower()} ")), "")
    content = rest[len(told) :].strip() if told else rest
    topic = re.match(r"(?:on|about|with|in)\s(?P<what>.+)$", content)
    if phrase.base in _ADVISING and told and topic:
        return f"get help with {_core(topic['what'])}"
    if phrase.base in INFORMING and told:
        return _informed(phrase.base, content)
    if phrase.base == "deliver" and phrase.clause == "noun":
        return f"get {_core(rest)}"
    if told and phrase.base in KEEPING and content.startswith("from "):
        return f"avoid {_core(content.removeprefix('from '))}"
    if phrase.base in FLIPPED:
        # "rent out parking spots to commuters": they rent them.
        for audience in audiences:
            at = re.search(rf"\sto\s(?:\w+\s)?{re.escape(audience)}\b", rest, re.IGNORECASE)
            if at:
                thing = re.sub(r"^(?:out|back|off)\s", "", rest[: at.start()])
                return f"{FLIPPED[phrase.base]} {_core(thing)}"
    if phrase.base in HANDING:
        if told:
            return f"get {_core(content)}" if content else ""
        for audience in audiences:
            at = re.search(rf"\s(?:to|for)\s(?:[\d.,]+\s)?(?:\w+\s)?{re.escape(audience)}\b", rest, re.IGNORECASE)
            if at:
                return f"get {_core(rest[: at.start()])}"
    return _core(phrase.base_form)


def _informed(base: str, content: str) -> str:
    asks = re.match(r"(?:which|where|when|how|what|whether|who|if|why)\b", content)
    to = re.match(r"to\s(?P<what>.+)$", content)
    if base == "remind" and to:
        return f"remember to {to['what']}"
    if base in {"teach", "train", "coach", "educate"}:
        return f"learn {content}" if content else ""
    if base in _WARNING and content:
        return f"{_WARNING[base]} {content}"
    if base in _SEEING | _KNOWING and asks:
        return f"{'see' if base in _SEEING else 'know'} {content}"
    if base in _SEEING and content:
        return f"see {content}"
    return _core(content) if to is None else to["what"]


def _core(text: str) -> str:
    """The phrase without what only says when, with what or for how much."""
    return _ENDS.split(text)[0].strip(" ,")
