"""What a run lacks, told once and in the order in which it matters to a founder. Pure.

Phases see the same gap from their own side: evidence finds no source on a claim, the deck has nothing to write on the
slide that needs it. Such pairs become one entry. Order: phases that failed or were not run, sources that failed,
claims without a source, what was not asked offline, what the budget does not reach, what only the founder can supply,
counts below their target, what is not connected yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipeline.v1 import common_pb2

# The deck's name for a gap, and the claim of the same gap.
SAME_GAP = {
    "evidence for the problem": "problem",
    "why now": "timing",
    "market size": "market-size",
    "competition": "competition",
}
# Evidence's name for an empty directory; it says more than "nothing on competitors".
NO_PRODUCTS = "directory"
CLAIM_SUBJECTS = {
    "problem": "sources on the problem",
    "audience": "sources on the audience",
    "market-size": "a count of the market",
    "competition": "sources on competitors",
    "willingness-to-pay": "sources on willingness to pay",
    "feasibility": "sources on feasibility",
    "timing": "a reason why now",
}
_ORDER = (
    common_pb2.MISSING_KIND_PHASE_FAILED,
    common_pb2.MISSING_KIND_GATED,
    common_pb2.MISSING_KIND_SOURCE_FAILED,
    common_pb2.MISSING_KIND_NO_COVERAGE,
    common_pb2.MISSING_KIND_OFFLINE,
    common_pb2.MISSING_KIND_BUDGET,
    common_pb2.MISSING_KIND_FOUNDER_INPUT,
    common_pb2.MISSING_KIND_SHORTFALL,
    common_pb2.MISSING_KIND_NOT_CONFIGURED,
)
_RANK = {kind: number for number, kind in enumerate(_ORDER)}


def settle(phases: Iterable[common_pb2.Missing], parts: Iterable[common_pb2.Missing]) -> list[common_pb2.Missing]:
    """Whole phases first, as given; then what the phases lack, merged and ordered. Entries are copies."""
    whole = [_copy(entry) for entry in phases]
    merged = _merge_claims([_copy(entry) for entry in parts])
    merged = _merge_sources(_merge_shortfalls(merged))
    return whole + sorted(merged, key=lambda entry: (_RANK.get(entry.kind, len(_ORDER)), _claim_rank(entry)))


def _claim_rank(entry: common_pb2.Missing) -> int:
    """Claims in their order, the problem first; what is on no claim last."""
    names = [*CLAIM_SUBJECTS.values()]
    subject = CLAIM_SUBJECTS.get(SAME_GAP.get(entry.subject, ""), entry.subject)
    return names.index(subject) if subject in names else len(names)


def _copy(entry: common_pb2.Missing) -> common_pb2.Missing:
    made = common_pb2.Missing()
    made.CopyFrom(entry)
    return made


def _merge_claims(entries: Sequence[common_pb2.Missing]) -> list[common_pb2.Missing]:
    """Claims that evidence found nothing on take the deck's next step for the same gap."""
    no_coverage = common_pb2.MISSING_KIND_NO_COVERAGE
    on_claims = {
        entry.subject: entry
        for entry in entries
        if entry.phase == common_pb2.PHASE_EVIDENCE and entry.kind == no_coverage and entry.subject in CLAIM_SUBJECTS
    }
    kept: list[common_pb2.Missing] = []
    for entry in entries:
        claim = on_claims.get(SAME_GAP.get(entry.subject, ""))
        if entry.subject == NO_PRODUCTS and entry.kind == no_coverage and "competition" in on_claims:
            on_claims["competition"].reason = entry.reason
            continue
        if claim is not None and entry.phase == common_pb2.PHASE_PITCH and entry.kind == no_coverage:
            # The deck knows the field: where its buyers are counted, whom to ask.
            claim.next_step = entry.next_step or claim.next_step
            continue
        kept.append(entry)
    for name, entry in on_claims.items():
        entry.subject = CLAIM_SUBJECTS[name]
    return kept


def _merge_shortfalls(entries: Sequence[common_pb2.Missing]) -> list[common_pb2.Missing]:
    """Counts below their target are one gap, however many there are."""
    short = [entry for entry in entries if entry.kind == common_pb2.MISSING_KIND_SHORTFALL]
    if len(short) < 2:
        return list(entries)
    told = "; ".join(f"{entry.subject.replace('_', ' ')}: {entry.reason.rstrip('.')}" for entry in short)
    one = _copy(short[0])
    one.subject = "enough finds"
    one.reason = f"{told[:1].upper()}{told[1:]}."
    return [entry for entry in entries if entry.kind != common_pb2.MISSING_KIND_SHORTFALL] + [one]


# Sources that were not asked for one and the same reason are one gap: what they are called together, and how the
# reason goes on after their names.
_NOT_ASKED = {
    common_pb2.MISSING_KIND_OFFLINE: ("online sources", "were not asked because this run is offline."),
    common_pb2.MISSING_KIND_NOT_CONFIGURED: ("further sources", "can be asked once they are set up."),
}


def _merge_sources(entries: Sequence[common_pb2.Missing]) -> list[common_pb2.Missing]:
    """Sources of evidence that nobody asked are named in one entry; the phase's own result has one for each."""
    kept = list(entries)
    for kind, (subject, told) in _NOT_ASKED.items():
        group = [entry for entry in kept if entry.kind == kind and entry.phase == common_pb2.PHASE_EVIDENCE]
        if len(group) < 2:
            continue
        one = _copy(group[0])
        one.subject = subject
        alone = any("no network" in entry.reason for entry in group)
        what = "could not be reached: there seems to be no network." if alone else told
        one.reason = f"{', '.join(entry.subject for entry in group)} {what}"
        steps = list(dict.fromkeys(entry.next_step.rstrip(".") for entry in group))
        one.next_step = f"{'; '.join(steps)}."
        kept = [entry for entry in kept if entry not in group] + [one]
    return kept
