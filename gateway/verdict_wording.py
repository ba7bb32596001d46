"""How the verdict's rules say what they found. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.verdict_facts import Facts
from gateway.verdict_weights import Voice, Weighed, sources
from pipeline.v1 import common_pb2

NAMES_SHOWN = 3
# Reasons name this many sources at most; the report lists all.
ITEMS_SHOWN = 6

_KIND_WORDS = {
    common_pb2.CLAIM_KIND_PROBLEM: "the problem",
    common_pb2.CLAIM_KIND_AUDIENCE: "the audience",
    common_pb2.CLAIM_KIND_MARKET_SIZE: "the size of the market",
    common_pb2.CLAIM_KIND_COMPETITION: "the competition",
    common_pb2.CLAIM_KIND_WILLINGNESS_TO_PAY: "the willingness to pay",
    common_pb2.CLAIM_KIND_FEASIBILITY: "feasibility",
    common_pb2.CLAIM_KIND_TIMING: "the timing",
}


def claim_words(facts: Facts, claim: str) -> str:
    """The claim's kind as a noun phrase."""
    return _KIND_WORDS.get(facts.kinds[claim], f"“{claim}”")


def listed(words: Sequence[str]) -> str:
    """ "a, b and c"."""
    return "".join(words) if len(words) < 2 else f"{', '.join(words[:-1])} and {words[-1]}"


def items(counted: Iterable[Voice], most: int = ITEMS_SHOWN) -> tuple[str, ...]:
    """Their ids, heaviest first, each once."""
    return tuple(dict.fromkeys(voice.item for voice in counted))[:most]


def agreement(beside: Sequence[Voice], overall: Weighed) -> str:
    """How many quotes stand on either side, and from how many sources: one source may be quoted for several claims."""
    fors = sum(voice.supports for voice in beside)
    against = len(beside) - fors
    noun = "verified quote" if fors == 1 else "verified quotes"
    different = sources(beside)
    whence = "1 source" if different == 1 else f"{different} sources"
    counter = "none contradicts one" if not against else f"{against} contradict{'s' if against == 1 else ''} one"
    return (
        f"Rivals aside, {fors} {noun} support{'s' if fors == 1 else ''} a claim and {counter} ({whence} in all,"
        f" balance {overall.balance:+.2f} of -1 to +1). Nothing found overturns what the idea's own words suggest."
    )


def thin(supporting: int, claims: int, needed: int) -> str:
    """Why the support is too thin: how many different sources there are, on how many claims."""
    if not supporting:
        return "Rivals aside, no verified source supports any claim: there is nothing to build on."
    if supporting >= needed:
        return f"The {supporting} verified sources in support all speak to one claim; at least two claims are needed."
    noun = "source supports" if supporting == 1 else "sources support"
    spread = f", on {claims} of the claims" if claims > 1 else ""
    return (
        f"Rivals aside, only {supporting} verified {noun} it{spread}: too few to decide (at least {needed} are needed)."
    )


def rivals(against: Sequence[Voice], *, different: bool) -> str:
    """What products that already do it mean."""
    count = sources(against)
    names = rival_names(against)
    named = f" ({listed(names)})" if names else ""
    shown = "source shows" if count == 1 else "sources show"
    told = f"It is not alone: {count} verified {shown} what competes with it{named}"
    if different:
        return f"{told}. That shows demand too; the idea says how it works, not yet that they cannot do the same."
    return f"{told}, and the idea does not say what sets it apart."


def rival_names(against: Sequence[Voice]) -> list[str]:
    """The first products named, heaviest first."""
    return list(dict.fromkeys(voice.product for voice in against if voice.product))[:NAMES_SHOWN]
