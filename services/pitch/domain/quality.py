"""How good the deck is, computed from the deck itself; each number 0 to 1.

completeness: share of the parts the plan's slides should rest on (a named problem, evidence for it, competitors, a
    round, a team, ...) that are there. A placeholder or a stated gap counts as absent: a deck without a team is not
    complete.
evidence_strength: 0.7 x how well the claims are carried + 0.3 x the share of the numbers that is cited. A claim is
    carried by s x (1 - c / 2), where s and c are 1 - product(1 - composite x stance confidence) over its three best
    items for and against it. A claim nobody speaks about counts 0.
readability: mean over the slides of word load (1 up to 60 words, falling to 0 at 150; a word in a table counts half)
    and of sentence length (1 up to 18 words in the mean, falling to 0 at 40). Source pages are reference, not reading,
    and do not count.
overall: 0.35 completeness + 0.45 evidence_strength + 0.20 readability.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.v1 import common_pb2, pitch_pb2
from services.pitch.domain.numbers import Tally


def measure(
    slides: Sequence[pitch_pb2.Slide],
    parts: Sequence[Mapping[str, bool]],
    claims: Sequence[common_pb2.Claim],
    evidence: Sequence[common_pb2.EvidenceItem],
    tally: Tally,
) -> pitch_pb2.DeckQuality:
    """The deck's quality; `parts` are what the slides should rest on, `tally` counts the numbers on them."""
    complete = completeness(parts)
    strong = evidence_strength(claims, evidence, tally)
    readable = readability(slides)
    return pitch_pb2.DeckQuality(
        completeness=round(complete, 4),
        evidence_strength=round(strong, 4),
        readability=round(readable, 4),
        overall=round(0.35 * complete + 0.45 * strong + 0.2 * readable, 4),
        numbers_cited=tally.cited,
        numbers_assumed=tally.assumed,
    )


def completeness(parts: Sequence[Mapping[str, bool]]) -> float:
    """Share of the wanted parts that are there."""
    wanted = [present for slide in parts for present in slide.values()]
    return sum(wanted) / len(wanted) if wanted else 0.0


def evidence_strength(
    claims: Sequence[common_pb2.Claim], evidence: Sequence[common_pb2.EvidenceItem], tally: Tally
) -> float:
    """How well claims and numbers are carried by sources."""
    carried = []
    for claim in claims:
        pro = _union(claim.id, common_pb2.STANCE_SUPPORTS, evidence)
        con = _union(claim.id, common_pb2.STANCE_CONTRADICTS, evidence)
        carried.append(pro * (1 - con / 2))
    claim_part = sum(carried) / len(carried) if carried else 0.0
    total = tally.cited + tally.assumed
    return 0.7 * claim_part + 0.3 * (tally.cited / total if total else 0.0)


def _union(claim_id: str, stance: int, evidence: Sequence[common_pb2.EvidenceItem]) -> float:
    weights = sorted(
        (
            min(max(item.composite, 0.0), 1.0) * min(max(item.stance_confidence, 0.0), 1.0)
            for item in evidence
            if item.claim_id == claim_id and item.stance == stance
        ),
        reverse=True,
    )
    left = 1.0
    for weight in weights[:3]:
        left *= 1 - weight
    return 1 - left


def readability(slides: Sequence[pitch_pb2.Slide]) -> float:
    """Word load and sentence length of the content slides."""
    scores = []
    for slide in slides:
        if slide.type == pitch_pb2.SLIDE_TYPE_SOURCES:
            continue
        texts = [statement.text for statement in slide.statements]
        spoken = [len(text.split()) for text in texts]
        in_table = sum(len(cell.split()) for row in slide.table.rows for cell in row.cells)
        load = len(slide.title.split()) + sum(spoken) + in_table / 2
        mean = sum(spoken) / len(spoken) if spoken else 0.0
        scores.append((_falling(load, 60, 150) + _falling(mean, 18, 40)) / 2)
    return sum(scores) / len(scores) if scores else 0.0


def _falling(value: float, best: float, worst: float) -> float:
    return min(max((worst - value) / (worst - best), 0.0), 1.0)
