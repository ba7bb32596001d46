"""What the page shows, worked out of the report: the template only lays it out. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.report import words
from pipeline.v1 import common_pb2, mvp_pb2, pipeline_pb2, validation_pb2

# Sources shown per claim and side; the rest is counted, and stands in evidence.json.
SHOWN_PER_SIDE = 6
MENTIONS_SHOWN = 4
ADS_SHOWN = 3


@dataclass
class Source:
    """One piece of evidence as a card."""

    item: common_pb2.EvidenceItem
    link: str
    host: str
    date: str
    kind: str
    score: str
    side: str
    number: int
    # What the reader should know before trusting it.
    warnings: list[str] = field(default_factory=list)
    # Addresses that say the same, as (link, host).
    merged: list[dict[str, str]] = field(default_factory=list)

    @property
    def side_word(self) -> str:
        """The stance as a word."""
        return {"for": "support", "against": "contradiction"}.get(self.side, "mention")


_FLAG_WORDS = {
    common_pb2.SOURCE_FLAG_INSTRUCTIONS: "instructs its reader; nothing obeyed it",
    common_pb2.SOURCE_FLAG_INVISIBLE_CHARACTERS: "held invisible characters",
    common_pb2.SOURCE_FLAG_HIDDEN_TEXT: "held text that visitors do not see",
    common_pb2.SOURCE_FLAG_CUT: "longer than what was read",
}
_LINK_WORDS = {
    common_pb2.LINK_STATUS_REFUSED: "the site does not let programs look",
    common_pb2.LINK_STATUS_UNKNOWN: "the address gave no usable answer",
}


@dataclass
class ClaimView:
    """One claim with its sources and where it is used."""

    claim: common_pb2.Claim
    kind: str
    chain: pipeline_pb2.ClaimChain
    supporting: list[Source] = field(default_factory=list)
    contradicting: list[Source] = field(default_factory=list)
    mentioning: list[Source] = field(default_factory=list)
    hidden: int = 0

    @property
    def count(self) -> int:
        """All sources on the claim."""
        links = self.chain
        return (
            len(links.supporting_evidence_ids)
            + len(links.contradicting_evidence_ids)
            + len(links.mentioning_evidence_ids)
        )


@dataclass(frozen=True)
class Bar:
    """One phase in the picture of the run; positions in percent of its length."""

    name: str
    state: str
    left: float
    width: float
    label: str
    y: int


def source(item: common_pb2.EvidenceItem, number: int) -> Source:
    """A piece of evidence as a card; `number` is its place in evidence.json."""
    link = words.safe_url(item.url)
    side = {common_pb2.STANCE_SUPPORTS: "for", common_pb2.STANCE_CONTRADICTS: "against"}.get(item.stance, "mentions")
    return Source(
        item=item,
        link=link,
        host=words.host(item.url),
        date=words.date(item.published_at),
        kind=words.source_type(item.source_type),
        score=f"{item.composite:.2f}",
        side=side,
        number=number,
        warnings=[
            *(_FLAG_WORDS[flag] for flag in item.flags if flag in _FLAG_WORDS),
            *(word for word in [_LINK_WORDS.get(item.link_status, "")] if word),
        ],
        merged=[{"link": words.safe_url(url), "host": words.host(url) or url} for url in item.merged_urls],
    )


def claims(report: pipeline_pb2.Report) -> list[ClaimView]:
    """Claims in their order, each with its best sources."""
    chain = {link.claim_id: link for link in report.chain}
    views = []
    for claim in report.claims:
        view = ClaimView(claim, words.claim_kind(claim.kind), chain.get(claim.id, pipeline_pb2.ClaimChain()))
        for number, item in enumerate(report.evidence.items, start=1):
            if item.claim_id != claim.id:
                continue
            card = source(item, number)
            shelf = {"for": view.supporting, "against": view.contradicting}.get(card.side, view.mentioning)
            room = SHOWN_PER_SIDE if shelf is not view.mentioning else MENTIONS_SHOWN
            if len(shelf) < room:
                shelf.append(card)
            else:
                view.hidden += 1
        views.append(view)
    return views


def shown_numbers(views: Sequence[ClaimView]) -> dict[str, int]:
    """Number by id of the sources that stand on the page, so that a reference to one is a link."""
    return {
        card.item.id: card.number
        for view in views
        for shelf in (view.supporting, view.contradicting, view.mentioning)
        for card in shelf
    }


@dataclass(frozen=True)
class ChainRow:
    """What rests on a claim, in words; `more` counts what is not shown."""

    claim: common_pb2.Claim
    kind: str
    supporting: list[str]
    contradicting: list[str]
    mentioning: list[str]
    slides: list[str]
    ads: list[str]
    more_ads: int
    pages: list[str]
    features: list[str]


def chain(report: pipeline_pb2.Report) -> list[ChainRow]:
    """The chain from claims to what was made, with texts in place of ids."""
    slides = {slide.number: slide.title for slide in report.pitch.slides}
    ads = {asset.id: asset.text for asset in report.campaign.assets}
    features = {feature.id: feature.title for feature in report.profile.features}
    features.update({feature.id: feature.title for feature in report.mvp.spec.features})
    kinds = {claim.id: claim for claim in report.claims}
    return [
        ChainRow(
            claim=kinds[link.claim_id],
            kind=words.claim_kind(kinds[link.claim_id].kind) or link.claim_id,
            supporting=list(link.supporting_evidence_ids),
            contradicting=list(link.contradicting_evidence_ids),
            mentioning=list(link.mentioning_evidence_ids),
            slides=[f"{number} {slides.get(number, '')}".strip() for number in link.slide_numbers],
            ads=[ads.get(asset, asset) for asset in link.ad_asset_ids[:ADS_SHOWN]],
            more_ads=max(len(link.ad_asset_ids) - ADS_SHOWN, 0),
            pages=list(link.landing_variants),
            features=[features.get(feature, feature) for feature in link.feature_ids],
        )
        for link in report.chain
        if link.claim_id in kinds
    ]


def verdict(report: pipeline_pb2.Report) -> dict[str, Any]:
    """The head of the page."""
    if not report.HasField("verdict"):
        state = words.run_state(report.run.state).lower()
        return {
            "word": "No verdict",
            "tone": "none",
            "meaning": f"The run ended ({state}) before a verdict could be reached.",
            "score": 0.0,
            "confidence": 0.0,
        }
    word, meaning = words.MEANING.get(
        report.verdict.recommendation, words.MEANING[validation_pb2.RECOMMENDATION_INCONCLUSIVE]
    )
    if report.campaign_reading.is_final and report.verdict.recommendation == validation_pb2.RECOMMENDATION_GO:
        # The meaning of a GO before its test would send the reader back to the start.
        meaning = "Real visitors were asked, and enough said yes. Build the smallest thing that keeps the promise."
    return {
        "word": word,
        "tone": word.lower().replace(" ", "-"),
        "meaning": meaning,
        "score": report.verdict.score,
        "confidence": report.verdict.confidence,
    }


def tiles(report: pipeline_pb2.Report) -> list[tuple[str, str, str, str]]:
    """Figures at a glance: (label, value, note, anchor)."""
    found: list[tuple[str, str, str, str]] = []
    if report.HasField("evidence"):
        items = report.evidence.items
        verified = sum(item.verified for item in items)
        fors = sum(item.stance == common_pb2.STANCE_SUPPORTS for item in items)
        against = sum(item.stance == common_pb2.STANCE_CONTRADICTS for item in items)
        note = f"{fors} for, {against} against, {len(items) - fors - against} mention it"
        found.append(("Verified sources", f"{verified} of {len(items)}", note, "evidence"))
    if report.HasField("pitch"):
        quality = report.pitch.quality
        note = f"{quality.numbers_cited} numbers cited, {quality.numbers_assumed} assumed"
        found.append(("Deck", words.plural(len(report.pitch.slides), "slide"), note, "deck"))
    if report.HasField("campaign") and report.campaign.HasField("plan"):
        plan = report.campaign.plan
        note = f"of {plan.sample_size_needed:,} the question needs"
        visitors = words.plural(plan.visitors_affordable, "visitor")
        found.append(("Smoke test buys", visitors, note, "campaign"))
    if report.HasField("mvp"):
        delivered = report.mvp.status == mvp_pb2.MVP_STATUS_DELIVERED
        passed = sum(check.status == mvp_pb2.CHECK_STATUS_PASSED for check in report.mvp.checks)
        ran = passed + sum(check.status == mvp_pb2.CHECK_STATUS_FAILED for check in report.mvp.checks)
        note = f"{passed} of {words.plural(ran, 'check')} passed"
        found.append(("MVP", "Runs" if delivered else "Failed", note, "mvp"))
    found.append(
        (
            "Spent",
            words.money(report.budget.spent_micros),
            f"of {words.money(report.budget.cap_micros)}",
            "budget",
        )
    )
    found.append(("Took", words.seconds(report.metrics.execution_time), _state_note(report.run), "run"))
    return found


def _state_note(run: pipeline_pb2.Run) -> str:
    return {
        pipeline_pb2.RUN_STATE_SUCCEEDED: "every phase has a result",
        pipeline_pb2.RUN_STATE_PARTIAL: "some phases are lacking",
        pipeline_pb2.RUN_STATE_FAILED: "the run failed",
        pipeline_pb2.RUN_STATE_CANCELLED: "the run was cancelled",
    }.get(run.state, "")


def profile_rows(profile: common_pb2.IdeaProfile) -> list[tuple[str, str, str, bool]]:
    """(label, value, words of the idea it rests on, inferred from the category)."""
    fields: list[tuple[str, str, str]] = [
        ("Name ideas", "names", " · ".join(profile.names[:5])),
        ("In one line", "one_liner", profile.one_liner),
        ("Problem", "problem", profile.problem),
        ("For whom", "audiences", ", ".join(profile.audiences)),
        ("Solution", "solution", profile.solution),
        ("How", "mechanisms", "; ".join(profile.mechanisms)),
        ("Field", "category", profile.category_label or profile.category),
        ("Customer", "customer_type", words.customer(profile.customer_type)),
        ("Business model", "business_model", words.business_model(profile.business_model)),
        ("Form", "product_form", words.product_form(profile.product_form)),
        ("Features", "features", "; ".join(feature.title for feature in profile.features)),
        ("Works with", "entities", ", ".join(profile.entities)),
    ]
    inferred = set(profile.inferred_fields)
    return [
        (label, value or "The text gives no basis for it.", profile.basis.get(name, ""), name in inferred)
        for label, name, value in fields
    ]


def bars(report: pipeline_pb2.Report) -> list[Bar]:
    """The phases over the length of the run."""
    total = report.metrics.execution_time.ToNanoseconds() or 1
    states = {status.phase: words.phase_state(status.state) for status in report.run.phases}
    found = []
    for row, timing in enumerate(sorted(report.metrics.timings, key=lambda t: t.offset.ToNanoseconds())):
        left = 100 * timing.offset.ToNanoseconds() / total
        width = 100 * timing.duration.ToNanoseconds() / total
        found.append(
            Bar(
                name=words.phase(timing.phase),
                state=states.get(timing.phase, ""),
                left=min(left, 99.0),
                width=max(min(width, 100 - left), 0.6),
                label=words.seconds(timing.duration),
                y=row,
            )
        )
    return found
