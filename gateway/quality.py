"""`overall_quality_score`: the mean of the parts that were measured in this run, each 0 to 1.

    profile_coverage   share of the idea's profile that its own words gave a basis for
    claims_covered     share of the claims with at least one verified source, whatever its stance
    evidence_verified  share of the kept sources whose quote was verified
    evidence_strength  mean composite score of the verified sources
    deck               the deck's own quality (completeness, evidence strength, readability)
    campaign_cited     share of the campaign plan's figures that are cited rather than assumed
    mvp_checks         share of the mvp's checks that passed, of those that were run
    phases_completed   share of the asked phases that ended with a result

A part without a measurement is left out; it counts neither for nor against.
"""

from __future__ import annotations

from gateway.results import Results
from pipeline.v1 import mvp_pb2


def parts(results: Results, asked: int) -> dict[str, float]:
    """The measured parts. `asked`: number of phases that the caller asked for."""
    measured: dict[str, float] = {}
    if results.validation is not None:
        measured["profile_coverage"] = results.validation.profile.coverage
    if results.evidence is not None:
        items = results.evidence.items
        verified = [item for item in items if item.verified]
        claims = {claim.id for claim in results.claims}
        if claims:
            measured["claims_covered"] = len(claims & {item.claim_id for item in verified}) / len(claims)
        if items:
            measured["evidence_verified"] = len(verified) / len(items)
        if verified:
            measured["evidence_strength"] = sum(item.composite for item in verified) / len(verified)
    if results.pitch is not None and results.pitch.HasField("quality"):
        measured["deck"] = results.pitch.quality.overall
    if results.campaign is not None and results.campaign.assumptions:
        figures = results.campaign.assumptions
        measured["campaign_cited"] = sum(bool(figure.citation_id) for figure in figures) / len(figures)
    if results.mvp is not None:
        passed = sum(check.status == mvp_pb2.CHECK_STATUS_PASSED for check in results.mvp.checks)
        failed = sum(check.status == mvp_pb2.CHECK_STATUS_FAILED for check in results.mvp.checks)
        if passed + failed:
            measured["mvp_checks"] = passed / (passed + failed)
    if asked:
        measured["phases_completed"] = results.count() / asked
    return {name: round(min(max(value, 0.0), 1.0), 4) for name, value in measured.items()}


def overall(measured: dict[str, float]) -> float:
    """The mean of the parts; 0 when nothing was measured."""
    return round(sum(measured.values()) / len(measured), 4) if measured else 0.0
