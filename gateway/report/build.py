"""The Report message: everything a run found and made, and how it hangs together. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gateway.missing import settle
from gateway.results import Results
from pipeline.v1 import campaign_pb2, common_pb2, pipeline_pb2, validation_pb2

# More than this reads as a reproach, not as a plan.
NEXT_STEPS_MAX = 10
# Steps of several phases that share this much of their longer words are one step.
SAME_SHARE = 0.7
SAME_WORDS_MIN = 4


def build_report(
    run: pipeline_pb2.Run,
    results: Results,
    phase_missing: Sequence[common_pb2.Missing],
    metrics: pipeline_pb2.Metrics,
    reading: campaign_pb2.CampaignReading | None = None,
) -> pipeline_pb2.Report:
    """The report of a run. Artifacts carry no content; `missing` tells each gap once, whole phases first."""
    report = pipeline_pb2.Report(
        run=run,
        claims=results.claims,
        chain=chain(results),
        validation=results.validation,
        evidence=results.evidence,
        pitch=results.pitch,
        campaign=results.campaign,
        mvp=results.mvp,
        missing=settle(phase_missing, results.missing),
        metrics=metrics,
        budget=run.budget,
        campaign_reading=reading,
    )
    if results.validation is not None:
        report.profile.CopyFrom(results.validation.profile)
    if run.HasField("verdict"):
        report.verdict.CopyFrom(run.verdict)
    report.next_steps.extend(next_steps(report))
    return report


def chain(results: Results) -> list[pipeline_pb2.ClaimChain]:
    """Per claim: the evidence about it, and every slide, advertisement, page and feature that rests on it."""
    links = []
    for claim in results.claims:
        link = pipeline_pb2.ClaimChain(claim_id=claim.id)
        if results.evidence is not None:
            for item in results.evidence.items:
                if item.claim_id != claim.id:
                    continue
                if item.stance == common_pb2.STANCE_SUPPORTS:
                    link.supporting_evidence_ids.append(item.id)
                elif item.stance == common_pb2.STANCE_CONTRADICTS:
                    link.contradicting_evidence_ids.append(item.id)
                else:
                    link.mentioning_evidence_ids.append(item.id)
        if results.pitch is not None:
            link.slide_numbers.extend(slide.number for slide in results.pitch.slides if claim.id in slide.claim_ids)
        if results.campaign is not None:
            link.ad_asset_ids.extend(a.id for a in results.campaign.assets if a.claim_id == claim.id)
            link.landing_variants.extend(p.variant for p in results.campaign.landing_pages if p.claim_id == claim.id)
        link.feature_ids.extend(_features(results, claim.id))
        links.append(link)
    return links


def _features(results: Results, claim_id: str) -> list[str]:
    """Features that were built where there is an MVP, else those of the profile."""
    if results.mvp is not None and results.mvp.spec.features:
        return [feature.id for feature in results.mvp.spec.features if feature.claim_id == claim_id]
    if results.validation is not None:
        return [f.id for f in results.validation.profile.features if f.claim_id == claim_id]
    return []


def next_steps(report: pipeline_pb2.Report) -> list[str]:
    """What to do now, most pressing first: clear what the law asks, change the verdict, mend the weakest, fill gaps."""
    steps: list[str] = []
    for regulated in report.profile.regulated_fields:
        if regulated.advice:
            steps.append(regulated.advice)
    steps.extend(report.verdict.would_change)
    weak = sorted(
        (c for c in report.validation.criteria if c.HasField("score") and c.score <= 3 and c.improvement),
        key=lambda criterion: (criterion.score, criterion.criterion),
    )
    steps.extend(criterion.improvement for criterion in weak[:3])
    steps.extend(missing.next_step for missing in report.missing)
    unscored = [c for c in report.validation.criteria if not c.HasField("score") and c.improvement]
    steps.extend(criterion.improvement for criterion in unscored[:2])
    kept: list[str] = []
    for step in steps:
        text = step.strip()
        if text and not any(_same_step(text, other) for other in kept):
            kept.append(text)
    return kept[:NEXT_STEPS_MAX]


def _same_step(one: str, other: str) -> bool:
    """Whether two steps ask for the same thing: most words of the shorter one stand in the longer one."""
    if one.casefold() == other.casefold():
        return True
    a, b = (set(re.findall(r"[a-z0-9-]{4,}", text.casefold())) for text in (one, other))
    fewer = min(len(a), len(b))
    return fewer >= SAME_WORDS_MIN and len(a & b) >= SAME_SHARE * fewer


def recommendation_word(verdict: validation_pb2.Verdict) -> str:
    """`GO`, `PIVOT`, `NO GO`, `INCONCLUSIVE`."""
    name = validation_pb2.Recommendation.Name(verdict.recommendation)
    word = name.removeprefix("RECOMMENDATION_").replace("_", " ")
    return "INCONCLUSIVE" if word == "UNSPECIFIED" else word
