"""How good the deck is, computed from the deck itself; each number 0 to 1, each explained with the counts behind it.

completeness: share of the parts the plan's slides should rest on (a named problem, evidence for it, competitors, a
    round, a team, ...) that are there. A placeholder or a stated gap counts as absent: a deck without a team is not
    complete.
evidence_strength: 0.7 x how well the claims are carried + 0.3 x the share of the numbers that is cited. A claim is
    carried by s x (1 - c / 2), where s and c are 1 - product(1 - composite x stance confidence) over its three best
    items for and against it. A claim nobody speaks about counts 0.
readability: mean over the slides of word load (1 up to 60 words, falling to 0 at 150; a word in a table counts half)
    and of sentence length (1 up to 18 words in the mean, falling to 0 at 40). Source pages are reference, not reading,
    and do not count.
density: mean over the slides of how near its words are to what a slide holds well: 1 from 25 to 75 words, falling to 0
    at none and at 160. A word in a table counts half, a chart as 20 words. A deck that is sent and read without a
    speaker needs more than the few words of a stage slide: the band is ours, between the two, and it is a convention,
    not a finding. It differs from readability in that an empty slide loses.
overall: 0.35 completeness + 0.45 evidence_strength + 0.10 readability + 0.10 density.
A slide's score is the mean of what was measured on it: its parts, its cited share of numbers, readability, density.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from pipeline.v1 import common_pb2, pitch_pb2
from services.pitch.domain import words
from services.pitch.domain.ledger import covering_ids
from services.pitch.domain.numbers import Tally

_WEIGHTS = {"completeness": 0.35, "evidence_strength": 0.45, "readability": 0.1, "density": 0.1}
# Words of a slide that count as neither thin nor crowded, and where they count as nothing.
_BAND = (25, 75)
_CROWDED = 160
_CHART_WORDS = 20
_Score: TypeAlias = Callable[[pitch_pb2.Slide], float]


def measure(
    slides: Sequence[pitch_pb2.Slide],
    parts: Sequence[Mapping[str, bool]],
    claims: Sequence[common_pb2.Claim],
    evidence: Sequence[common_pb2.EvidenceItem],
    tally: Tally,
) -> pitch_pb2.DeckQuality:
    """The deck's quality; `parts` are what the slides should rest on, `tally` counts the numbers on them."""
    scores = {
        "completeness": completeness(parts),
        "evidence_strength": evidence_strength(claims, evidence, tally),
        "readability": readability(slides),
        "density": density(slides),
    }
    overall = sum(_WEIGHTS[name] * score for name, score in scores.items())
    said = {
        "completeness": _on_completeness(parts),
        "evidence_strength": _on_evidence(claims, evidence, tally),
        "readability": _on_slides(slides, _readable, "read easily", "Shorten"),
        "density": _on_slides(slides, _dense, "are neither thin nor crowded", "Fill or thin out"),
    }
    weakest = min(scores, key=lambda name: (scores[name] - 1) * _WEIGHTS[name])
    formula = " + ".join(f"{weight:g} {name.replace('_', ' ')}" for name, weight in _WEIGHTS.items())
    explanations = [
        pitch_pb2.ScoreExplanation(
            name=name,
            score=round(score, 4),
            explanation=said[name][0],
            improvement=said[name][1] if score < 1 else "",
        )
        for name, score in scores.items()
    ]
    explanations.append(
        pitch_pb2.ScoreExplanation(
            name="overall",
            score=round(overall, 4),
            explanation=f"{formula}.",
            improvement=said[weakest][1] if overall < 1 else "",
        )
    )
    return pitch_pb2.DeckQuality(
        **{name: round(score, 4) for name, score in scores.items()},
        overall=round(overall, 4),
        numbers_cited=tally.cited,
        numbers_assumed=tally.assumed,
        evidence_count=len(set().union(*(cited(slide, evidence) for slide in _content(slides)))),
        explanations=explanations,
    )


def mark(
    slide: pitch_pb2.Slide, parts: Mapping[str, bool], tally: Tally, evidence: Sequence[common_pb2.EvidenceItem]
) -> None:
    """Puts the slide's own score, its count of evidence and how both came about on it; source pages have none."""
    if slide.type == pitch_pb2.SLIDE_TYPE_SOURCES:
        return
    measured = {"readability": _readable(slide), "density": _dense(slide)}
    if parts:
        measured["completeness"] = completeness([parts])
    total = tally.cited + tally.assumed
    if total:
        measured["cited share of numbers"] = tally.cited / total
    slide.quality_score = round(sum(measured.values()) / len(measured), 4)
    slide.evidence_count = len(cited(slide, evidence))
    lacking = [name for name, present in parts.items() if not present]
    listed = words.join([f"{name} {score:.2f}" for name, score in measured.items()])
    slide.quality_note = f"Mean of {listed}." + (f" Lacking: {words.join(lacking)}." if lacking else "")


def cited(slide: pitch_pb2.Slide, evidence: Sequence[common_pb2.EvidenceItem]) -> set[str]:
    """Ids of the evidence items that a slide cites; benchmark figures are planning values and no evidence."""
    known = {item.id for item in evidence}
    return {key for ids in covering_ids(slide) for key in ids[0] if key in known}


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
    return _mean([_readable(slide) for slide in _content(slides)])


def density(slides: Sequence[pitch_pb2.Slide]) -> float:
    """How near the content slides' words are to the band that a slide holds well."""
    return _mean([_dense(slide) for slide in _content(slides)])


def load(slide: pitch_pb2.Slide) -> float:
    """Words to read on a slide; a word in a table counts half."""
    spoken = sum(len(statement.text.split()) for statement in slide.statements)
    in_table = sum(len(cell.split()) for row in slide.table.rows for cell in row.cells)
    return len(slide.title.split()) + spoken + in_table / 2


def _readable(slide: pitch_pb2.Slide) -> float:
    spoken = [len(statement.text.split()) for statement in slide.statements]
    return (_falling(load(slide), 60, 150) + _falling(_mean(spoken), 18, 40)) / 2


def _dense(slide: pitch_pb2.Slide) -> float:
    held = load(slide) + (_CHART_WORDS if slide.HasField("chart") else 0)
    return min(held / _BAND[0], 1.0, _falling(held, _BAND[1], _CROWDED))


def _on_completeness(parts: Sequence[Mapping[str, bool]]) -> tuple[str, str]:
    wanted = [(name, present) for slide in parts for name, present in slide.items()]
    there = sum(present for _, present in wanted)
    lacking = list(dict.fromkeys(name for name, present in wanted if not present))
    said = f"{there} of the {len(wanted)} parts that the slides should rest on are there."
    return said, f"Bring {words.join(lacking[:4])}." if lacking else ""


def _on_evidence(
    claims: Sequence[common_pb2.Claim], evidence: Sequence[common_pb2.EvidenceItem], tally: Tally
) -> tuple[str, str]:
    silent = [claim for claim in claims if not _union(claim.id, common_pb2.STANCE_SUPPORTS, evidence)]
    total = tally.cited + tally.assumed
    said = (
        f"Sources support {len(claims) - len(silent)} of {len(claims)} claims; "
        f"{tally.cited} of {total} numbers are cited, {tally.assumed} are assumptions."
    )
    kinds = [
        common_pb2.ClaimKind.Name(claim.kind).removeprefix("CLAIM_KIND_").replace("_", " ").lower() for claim in silent
    ]
    if kinds:
        return said, f"Find a source on {words.join(list(dict.fromkeys(kinds))[:3])}."
    return said, "Replace assumptions with cited or measured numbers."


def _on_slides(slides: Sequence[pitch_pb2.Slide], score: _Score, good: str, mend: str) -> tuple[str, str]:
    counted = [(score(slide), slide) for slide in _content(slides)]
    fine = sum(value >= 0.9 for value, _ in counted)
    said = f"{fine} of {len(counted)} slides {good} (0.9 or more); the mean is {_mean([v for v, _ in counted]):.2f}."
    if not counted:
        return said, ""
    worst, slide = min(counted, key=lambda pair: pair[0])
    return said, f"{mend} slide {slide.number} ({load(slide):.0f} words, score {worst:.2f})." if worst < 1 else ""


def _content(slides: Sequence[pitch_pb2.Slide]) -> list[pitch_pb2.Slide]:
    return [slide for slide in slides if slide.type != pitch_pb2.SLIDE_TYPE_SOURCES]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _falling(value: float, best: float, worst: float) -> float:
    return min(max((worst - value) / (worst - best), 0.0), 1.0)
