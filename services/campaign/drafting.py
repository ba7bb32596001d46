"""One campaign, drafted: request in, assets and result out. Pure apart from the renderer's templates in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chassis.figures import Figures
from pipeline.errors import PipelineError
from pipeline.v1 import campaign_pb2, common_pb2, validation_pb2
from pipeline.v1.campaign_pb2 import AdAsset, CampaignResult, DraftCampaignRequest, LandingPage
from pipeline.v1.common_pb2 import Artifact, Missing, Notice, Progress
from services.campaign.domain import exports, landing, limits, wording
from services.campaign.domain.brief import Brief, read_brief
from services.campaign.domain.copywriting import call_to_action, write_assets
from services.campaign.domain.keywords import plan_keywords
from services.campaign.domain.launch import LaunchPlan
from services.campaign.domain.plan import PlanDraft, make_plan
from services.campaign.rendering import PageRenderer, Signup

STEPS = 5
# More than any smoke test; a larger number is a slip of units.
BUDGET_MICROS_MAX = 1_000_000 * 1_000_000
CAMPAIGN = common_pb2.PHASE_CAMPAIGN

Item = Progress | AdAsset | CampaignResult


@dataclass(frozen=True)
class Drafter:
    """Drafts campaigns with fixed figures, templates and sign-up settings. Stateless between calls."""

    figures: Figures
    renderer: PageRenderer
    signup: Signup
    slots: tuple[limits.Slot, ...] = limits.SLOTS

    def draft(self, request: DraftCampaignRequest) -> Iterator[Item]:
        """Progress and assets as they are made, then the result. Raises PipelineError for what cannot be used."""
        check(request)
        kind = request.campaign_type or common_pb2.CAMPAIGN_TYPE_SMOKE_TEST
        cta = call_to_action(kind)
        result = CampaignResult(campaign_type=kind, status=campaign_pb2.CAMPAIGN_STATUS_DRAFT)
        yield Progress(message="writing the ads", done=0, total=STEPS)
        brief = read_brief(request.profile, request.claims)
        for asset in write_assets(brief, cta, self.slots):
            result.assets.append(asset)
            yield asset
        yield Progress(message=f"{len(result.assets)} ad texts written; choosing keywords", done=1, total=STEPS)
        result.keywords.extend(plan_keywords(brief, request.evidence))
        yield Progress(message="computing the plan", done=2, total=STEPS)
        plan = make_plan(
            self.figures,
            brief,
            request.profile.benchmark_segment,
            request.profile.customer_type,
            request.ad_budget_micros,
            cta,
        )
        result.plan.CopyFrom(plan.plan)
        result.citations.extend(plan.citations)
        result.assumptions.extend(plan.assumptions)
        result.notices.extend([*plan.notices, *_notices(request, brief, launch=cta.out)])
        if plan.launch:
            files = _launch_files(brief, plan, plan.launch, result)
        else:
            yield Progress(message="rendering two landing pages", done=3, total=STEPS)
            files = self._pages(request, brief, plan, result)
        yield Progress(message="packing the files", done=4, total=STEPS)
        result.artifacts.extend(files)
        result.missing.extend([*self._missing(plan), *_left_out(result.assets, self.slots)])
        yield result

    def _pages(
        self, request: DraftCampaignRequest, brief: Brief, plan: PlanDraft, result: CampaignResult
    ) -> list[Artifact]:
        cta = call_to_action(result.campaign_type)
        copy = landing.write_page(brief, request.profile.one_liner, cta, self.signup.controller)
        variants = landing.write_variants(brief)
        connected = self.signup.connected
        files = [
            exports.artifact(
                "campaign/plan.json",
                "application/json",
                exports.plan_json(plan, result.campaign_type, variants, copy, connected=connected),
            ),
            exports.artifact("campaign/ads.json", "application/json", exports.ads_json(result.assets, result.keywords)),
            exports.artifact(
                "campaign/ads.csv", "text/csv", exports.ads_csv(brief, result.assets, result.keywords, plan)
            ),
        ]
        pages = self.renderer.render(copy, variants, self.signup, brief.category)
        for variant, page in zip(variants, pages, strict=True):
            index = exports.artifact(f"{variant.folder}/index.html", "text/html", page.index)
            files += [index, exports.artifact(f"{variant.folder}/privacy.html", "text/html", page.privacy)]
            result.landing_pages.append(
                LandingPage(
                    variant=variant.key,
                    headline=variant.headline,
                    subheadline=copy.subheadline,
                    call_to_action=copy.call_to_action,
                    folder=variant.folder,
                    claim_id=variant.claim_id,
                    size_bytes=index.size_bytes,
                )
            )
        text = exports.readme(brief, plan, copy, connected=connected, controller=self.signup.controller)
        files.append(exports.artifact("campaign/README.txt", "text/plain", text))
        return files

    def _missing(self, plan: PlanDraft) -> list[Missing]:
        """What this draft is not: published, connected, signed."""
        missing = [
            Missing(
                subject="publishing the ads",
                phase=CAMPAIGN,
                kind=common_pb2.MISSING_KIND_NOT_CONFIGURED,
                reason="A run drafts: nothing is published and nothing is spent.",
                next_step="Show what would be sent with `pipeline campaign publish --dry-run`, and publish with "
                "`pipeline campaign publish` (docs/campaigns.md). By hand: import campaign/ads.csv into Google Ads "
                "Editor; enter the texts of campaign/ads.json in the "
                f"ads managers of {limits.PLATFORM_NAMES[limits.META]} and {limits.PLATFORM_NAMES[limits.LINKEDIN]}.",
            )
        ]
        if plan.launch:
            missing.append(
                Missing(
                    subject="the product and its price",
                    phase=CAMPAIGN,
                    kind=common_pb2.MISSING_KIND_FOUNDER_INPUT,
                    reason="A launch's ads lead to a product that can be used, and its price says what an account may "
                    "cost; neither is known here.",
                    next_step="Set the product's address as Final URL of the ads, and replace the target of plan.json "
                    "by what a customer brings in.",
                )
            )
        elif not self.signup.connected:
            missing.append(
                Missing(
                    subject="sign-up form",
                    phase=CAMPAIGN,
                    kind=common_pb2.MISSING_KIND_NOT_CONFIGURED,
                    reason="The landing pages are not connected to anything that stores sign-ups, and say so.",
                    next_step="Set PIPELINE_CAMPAIGN_SIGNUP_ENDPOINT and draft anew, or follow campaign/README.txt.",
                )
            )
        if not plan.launch and not self.signup.controller:
            missing.append(
                Missing(
                    subject="responsible person on the privacy page",
                    phase=CAMPAIGN,
                    kind=common_pb2.MISSING_KIND_FOUNDER_INPUT,
                    reason="Who keeps the addresses is known to the founder only.",
                    next_step="Set PIPELINE_CAMPAIGN_CONTROLLER to a name, a postal address and an e-mail address.",
                )
            )
        if plan.plan.visitors_affordable < plan.plan.sample_size_needed:
            short = plan.plan.cost_needed_micros - plan.plan.budget_micros
            missing.append(
                Missing(
                    subject="a sample that answers the question",
                    phase=CAMPAIGN,
                    kind=common_pb2.MISSING_KIND_BUDGET,
                    reason=f"The budget buys about {wording.count(plan.plan.visitors_affordable, 'visitor')} of the "
                    f"{plan.plan.sample_size_needed:,} that the question needs.",
                    next_step=f"Plan about {wording.dollars(max(short, 0))} more, or bring visitors of your own.",
                )
            )
        return missing


def _launch_files(brief: Brief, plan: PlanDraft, launch: LaunchPlan, result: CampaignResult) -> list[Artifact]:
    """Plan, ads and how-to; no pages: a launch's ads lead to the product itself."""
    kind = result.campaign_type
    made = (
        ("plan.json", "application/json", exports.plan_json(plan, kind, (), None, connected=False)),
        ("ads.json", "application/json", exports.ads_json(result.assets, result.keywords)),
        ("ads.csv", "text/csv", exports.ads_csv(brief, result.assets, result.keywords, plan)),
        ("README.txt", "text/plain", exports.launch_readme(brief, plan, launch)),
    )
    return [exports.artifact(f"campaign/{name}", media, text) for name, media, text in made]


def _left_out(assets: Sequence[AdAsset], slots: Sequence[limits.Slot]) -> list[Missing]:
    """Platforms whose minimum of texts could not be written within their limits."""
    there = {asset.platform for asset in assets}
    names = dict.fromkeys(limits.PLATFORM_NAMES[slot.platform] for slot in slots if slot.platform not in there)
    return [
        Missing(
            subject=f"ads for {name}",
            phase=CAMPAIGN,
            kind=common_pb2.MISSING_KIND_FOUNDER_INPUT,
            reason=f"The idea's words give fewer texts than {name} asks for within its limits, so it is left out.",
            next_step="Say in a few short words what it does and for whom, and draft anew.",
        )
        for name in names
    ]


def check(request: DraftCampaignRequest) -> None:
    """Refuses what no campaign can be drafted from, naming the field and the mend."""
    if not request.HasField("profile") or not request.profile.idea.strip():
        raise PipelineError.invalid("profile.idea", "is empty; send the profile that validation returned")
    if request.ad_budget_micros < 0:
        raise PipelineError.invalid("ad_budget_micros", "is negative; write 0 or more micros of USD")
    if request.ad_budget_micros > BUDGET_MICROS_MAX:
        limit = wording.dollars(BUDGET_MICROS_MAX)
        raise PipelineError.invalid("ad_budget_micros", f"is above {limit}; write micros of USD, $25 is 25000000")
    if request.campaign_type not in common_pb2.CampaignType.values():
        raise PipelineError.invalid("campaign_type", f"is {request.campaign_type}, which is no campaign type")


def _notices(request: DraftCampaignRequest, brief: Brief, *, launch: bool) -> list[Notice]:
    found: list[tuple[str, str]] = []
    if launch:
        found.append(
            (
                "campaign_type",
                "A launch before a smoke test that came out well is against this pipeline's own advice: it spends more "
                "to learn later. Draft the smoke test first, unless the product is out and people use it.",
            )
        )
    if request.verdict.recommendation == validation_pb2.RECOMMENDATION_NO_GO:
        found.append(("verdict", "The verdict is no-go: read its reasons before money goes into this test."))
    if request.profile.language not in ("", "en"):
        found.append(
            (
                "profile.language",
                "Copy is written in English only; the idea is in another language and needs a translator.",
            )
        )
    if brief.regulated:
        found.append(
            (
                "profile.regulated_fields",
                f"The idea touches {', '.join(brief.regulated)}: read the platforms' rules on that before publishing.",
            )
        )
    if "children" in brief.regulated:
        found.append(("audience", "Address the ads to adults: the pages let nobody under 18 sign up."))
    if not brief.functions or not brief.audience:
        lacking = " and ".join(
            name for name, there in (("what it does", brief.functions), ("for whom", brief.audience)) if not there
        )
        found.append(("profile", f"The idea does not say {lacking}, so the copy stays general; say it and draft anew."))
    return [Notice(subject=subject, message=message, phase=CAMPAIGN) for subject, message in found]
