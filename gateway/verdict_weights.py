"""How much each source weighs in the verdict. Pure; sums do not depend on the order of the items.

- Only verified items count that support or contradict a claim of the idea. An item is left out when its text was meant
  to steer its reader: it instructs, hides text, or held invisible characters. A text that was merely cut counts.
- Weight = composite score times how sure the stance is, each 0 to 1.
- A product that exists shows that somebody thought the problem worth solving, no more: where such an item supports
  anything but feasibility, it weighs a third. So does in support what ships with the pipeline (it knows the field, and
  nobody in it was asked about this idea) and what the founder brought (the founder is no independent witness).
- A source counts once per claim and side, with its heaviest quote: ten quotes of one page are one voice.
- balance = (for - against) / (for + against), -1 to 1; 0 where nothing weighs.
- leaning = (for - against) / (for + against + 1): the same, drawn to 0 while little is known. The 1 is one perfect
  source without an opinion.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipeline.v1 import common_pb2

# What speaks of the field in general, and the founder's own material, weighs this share where it supports.
GENERAL_FACTOR = 1 / 3
# What ships with the pipeline.
STARTER_PROVIDERS = frozenset({"directory", "benchmarks"})
PRIOR_WEIGHT = 1.0
_STEERING_FLAGS = frozenset(
    {
        common_pb2.SOURCE_FLAG_INSTRUCTIONS,
        common_pb2.SOURCE_FLAG_INVISIBLE_CHARACTERS,
        common_pb2.SOURCE_FLAG_HIDDEN_TEXT,
    }
)


@dataclass(frozen=True)
class Voice:
    """What one item says on one claim. `weight` is 0 to 1; `product` is set where it describes one."""

    item: str
    claim: str
    supports: bool
    weight: float
    source: str
    provider: str = ""
    product: str = ""


@dataclass(frozen=True)
class Weighed:
    """Both sides of one claim, or of several together."""

    for_weight: float = 0.0
    against_weight: float = 0.0
    for_sources: int = 0
    against_sources: int = 0

    @property
    def balance(self) -> float:
        """-1 (all against) to 1 (all for); 0 when nothing weighs."""
        total = self.for_weight + self.against_weight
        return (self.for_weight - self.against_weight) / total if total else 0.0

    @property
    def leaning(self) -> float:
        """-1 to 1, exclusive: the balance drawn to 0 while little is known."""
        return (self.for_weight - self.against_weight) / (self.for_weight + self.against_weight + PRIOR_WEIGHT)


def voices(
    items: Iterable[common_pb2.EvidenceItem], kinds: Mapping[str, common_pb2.ClaimKind.ValueType]
) -> tuple[Voice, ...]:
    """The items that count, heaviest first; `kinds` maps the idea's claims to their kinds."""
    made = []
    for item in items:
        sided = item.stance in (common_pb2.STANCE_SUPPORTS, common_pb2.STANCE_CONTRADICTS)
        if not (item.verified and sided and item.claim_id in kinds) or _STEERING_FLAGS.intersection(item.flags):
            continue
        supports = item.stance == common_pb2.STANCE_SUPPORTS
        weight = _unit(item.composite) * _unit(item.stance_confidence)
        exists = item.HasField("product") and kinds[item.claim_id] != common_pb2.CLAIM_KIND_FEASIBILITY
        own = item.source_type == common_pb2.SOURCE_TYPE_USER_DOCUMENT
        if supports and (exists or own or item.provider in STARTER_PROVIDERS):
            weight *= GENERAL_FACTOR
        source = item.url or item.id
        made.append(Voice(item.id, item.claim_id, supports, weight, source, item.provider, item.product.name))
    return tuple(sorted(made, key=_heaviest))


def weigh(counted: Iterable[Voice]) -> Weighed:
    """Both sides of the voices given, each source once per claim and side."""
    heaviest: dict[tuple[bool, str, str], float] = {}
    for voice in counted:
        key = (voice.supports, voice.claim, voice.source)
        heaviest[key] = max(heaviest.get(key, 0.0), voice.weight)
    return Weighed(
        for_weight=math.fsum(weight for (supports, _, _), weight in heaviest.items() if supports),
        against_weight=math.fsum(weight for (supports, _, _), weight in heaviest.items() if not supports),
        for_sources=len({source for supports, _, source in heaviest if supports}),
        against_sources=len({source for supports, _, source in heaviest if not supports}),
    )


def sources(counted: Iterable[Voice]) -> int:
    """How many different sources they come from."""
    return len({voice.source for voice in counted})


def _heaviest(voice: Voice) -> tuple[float, str, str, bool, str]:
    return (-voice.weight, voice.item, voice.claim, voice.supports, voice.source)


def _unit(value: float) -> float:
    """0 to 1; what is no number weighs nothing."""
    return min(1.0, max(0.0, value)) if math.isfinite(value) else 0.0
