"""The campaign's files: plan and ads as JSON, the ads as CSV for Google Ads Editor, and a how-to.

JSON keeps the contract's field names and a stable order, so that two drafts of the same idea compare line by line.
"""

from __future__ import annotations

import csv
import io
import json
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from chassis.artifacts import make_artifact
from pipeline.v1 import campaign_pb2, common_pb2
from pipeline.v1.campaign_pb2 import AdAsset, Keyword
from pipeline.v1.common_pb2 import Artifact
from services.campaign.domain import limits, wording
from services.campaign.domain.brief import Brief
from services.campaign.domain.landing import PageCopy, Variant
from services.campaign.domain.launch import LaunchPlan
from services.campaign.domain.plan import DAYS_MAX, PlanDraft
from services.campaign.domain.reading import levels, sample_ratio

PAGE_BYTES_MAX = 50_000
"""A landing page stays below this: it loads in about a second on a slow phone line (400 kbit/s)."""

_MATCH_NAMES = {
    campaign_pb2.KEYWORD_MATCH_BROAD: "Broad",
    campaign_pb2.KEYWORD_MATCH_PHRASE: "Phrase",
    campaign_pb2.KEYWORD_MATCH_EXACT: "Exact",
}
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def artifact(path: str, media_type: str, content: str) -> Artifact:
    """A text file as an artifact of this phase."""
    return make_artifact(path, content.encode("utf-8"), media_type, common_pb2.PHASE_CAMPAIGN)


def to_json(value: object) -> str:
    """Indented JSON with a final newline; keys in the order given."""
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def plain(message: Message) -> dict[str, Any]:
    """A message as a dict: contract field names, enum names, 64-bit numbers as numbers, unset numbers shown."""
    made = MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
    return {key: _numbers(message, key, value) for key, value in made.items()}


def _numbers(message: Message, key: str, value: Any) -> Any:
    field = message.DESCRIPTOR.fields_by_name[key]
    if field.cpp_type in (field.CPPTYPE_INT64, field.CPPTYPE_UINT64) and isinstance(value, str):
        return int(value)
    if field.cpp_type == field.CPPTYPE_MESSAGE and isinstance(value, list):
        return [plain(item) for item in getattr(message, key)]
    return value


def plan_json(
    draft: PlanDraft,
    campaign_type: common_pb2.CampaignType.ValueType,
    variants: Sequence[Variant],
    copy: PageCopy | None,
    *,
    connected: bool,
    cites_evidence: Sequence[str] = (),
) -> str:
    """campaign/plan.json: the plan, the counts that decide, the one difference between the pages, and all sources.

    A launch has no pages of ours: `copy` is None, and `variants` and `signup` are left out.
    """
    pages = _pages(draft, variants, copy, connected=connected) if copy else {}
    return to_json(
        {
            "campaign_type": common_pb2.CampaignType.Name(campaign_type),
            "status": campaign_pb2.CampaignStatus.Name(campaign_pb2.CAMPAIGN_STATUS_DRAFT),
            "plan": plain(draft.plan),
            "registered": registered(draft.plan.alpha),
            **({"launch": _launch(draft.launch)} if draft.launch else {}),
            "statistics": {
                "test": "one-sample exact binomial test, one-sided, against baseline_rate, once, at the planned sample",
                "sample_size_formula": "n = ((z(1-alpha) sqrt(p0 q0) + z(power) sqrt(p1 q1)) / (p1 - p0))^2",
                "sample_size_source": "NIST/SEMATECH e-Handbook of Statistical Methods, section 7.2.4.2",
                "sample_size_by_formula": draft.sample_size_approximation,
                "sample_size_for_exact_test": draft.plan.sample_size_needed,
                "power_at_budget": round(draft.power_at_budget, 4),
                "reading_at_needed_sample": draft.at_needed._asdict(),
                "reading_at_budget": draft.at_budget._asdict(),
            },
            **pages,
            "evidence_ids": list(cites_evidence),
            "assumptions": [plain(item) for item in draft.assumptions],
            "citations": [plain(item) for item in draft.citations],
            "notices": [notice.message for notice in draft.notices],
        }
    )


def _pages(draft: PlanDraft, variants: Sequence[Variant], copy: PageCopy, *, connected: bool) -> dict[str, Any]:
    fields = ["email", "consent", "consent_version", "variant", "website"]
    if copy.adults_only:
        fields.insert(2, "adult")
    return {
        "variants": {
            "difference": "the headline's framing: a names the problem, b names the outcome; nothing else differs",
            "element": "h1",
            "a": {"framing": variants[0].framing, "headline": variants[0].headline},
            "b": {"framing": variants[1].framing, "headline": variants[1].headline},
            "split": "send half of the visitors to each, at random",
            "visitors_per_variant_to_compare_them": draft.variant_visitors_needed,
            "note": "the question of the test is answered by both pages together; below the number above, a "
            "difference between them is a hint at most",
        },
        "signup": {
            "connected": connected,
            "setting": "PIPELINE_CAMPAIGN_SIGNUP_ENDPOINT",
            "note": "posted to the configured address; nothing is counted or stored by these files"
            if connected
            else "not connected: the form sends and stores nothing until the setting is made (README.txt)",
            "fields": fields,
            "consent_version": copy.consent_version,
            "consent_text": copy.consent,
        },
    }


def registered(alpha: float) -> dict[str, Any]:
    """What a reading uses besides the plan's numbers, fixed with them so that nothing is chosen afterwards."""
    return {
        "split": {"a": 0.5, "b": 0.5, "check": "two-sided test of a fair coin", "threshold": sample_ratio.THRESHOLD},
        "pages_counted": "both pages together answer the question",
        "days_min": levels.DAYS_MIN,
        "days_max": DAYS_MAX,
        "visitor": "a person counts once, on the first page shown",
        "left_out": "robots, prefetches, requests without a browser's name, and visitors who ask not to be counted",
        "automatic_visits_share_max": levels.BOTS_SHARE_MAX,
        "looks": "always-valid mixture test for Bernoulli data, one-sided, at every look",
        "looks_level": levels.looks_alpha(alpha),
        "final_test": "exact binomial test, one-sided, once, at the planned sample",
        "final_level": levels.final_alpha(alpha),
        "prior": "Beta(0.5, 0.5) for every rate (Jeffreys); it informs and does not decide",
    }


def _launch(launch: LaunchPlan) -> dict[str, Any]:
    return {
        "target_cost_per_account_micros": launch.target_cpa_micros,
        "stop_cost_per_account_micros": launch.stop_cpa_micros,
        "gate": launch.gate,
        "weeks": [{**week._asdict(), "platform": limits.PLATFORM_NAMES[week.platform]} for week in launch.weeks],
    }


def ads_json(assets: Sequence[AdAsset], keywords: Sequence[Keyword]) -> str:
    """campaign/ads.json: every asset with its length and claim, by platform, and the keywords."""
    platforms: dict[str, list[dict[str, Any]]] = {}
    for asset in assets:
        platforms.setdefault(limits.PLATFORM_NAMES[asset.platform], []).append(plain(asset))
    return to_json(
        {
            "status": "draft: nothing is published",
            "length_counts": "double-width characters count two",
            "platforms": platforms,
            "keywords": [plain(k) for k in keywords if not k.negative],
            "negative_keywords": [plain(k) for k in keywords if k.negative],
        }
    )


# --- Google Ads Editor ------------------------------------------------------------------------------------------------


def safe_cell(text: str) -> str:
    """A cell that no spreadsheet reads as a formula (faults row 44): an apostrophe before the sign that starts one."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def ads_csv(brief: Brief, assets: Sequence[AdAsset], keywords: Sequence[Keyword], draft: PlanDraft) -> str:
    """campaign/ads.csv: one campaign (paused), one ad group, its keywords and one responsive search ad.

    Headers and values follow Google Ads Editor Help, "CSV file columns" (google-ads/editor/answer/57747): headers in
    English in any capitals, one kind of item a row, an empty cell changes nothing. The final URL stays empty: it is
    the page's address, which nobody knows before it is online, and Editor asks for it.
    """
    texts = {kind: _texts(assets, kind) for kind in (limits.HEADLINE, limits.DESCRIPTION, limits.PATH)}
    headlines = [f"Headline {i}" for i in range(1, 16)]
    descriptions = [f"Description {i}" for i in range(1, 5)]
    columns = [
        "Campaign", "Campaign type", "Campaign status", "Campaign daily budget", "Networks", "Bid strategy type",
        "Ad group", "Ad group status", "Max CPC", "Keyword", "Criterion type", "Ad type", "Status", "Final URL",
        *headlines, *descriptions, "Path 1", "Path 2",
    ]  # fmt: skip
    campaign = f"{draft.title}: {brief.name or brief.topic or 'idea'}"
    group = brief.topic or "idea"
    search = next((c for c in draft.plan.channels if c.platform == limits.GOOGLE), None)
    # Two weeks' worth a day; empty without a budget, so that Editor asks instead of spending.
    daily = f"{max(search.budget_micros / 1_000_000 / 14, 1.0):.2f}" if search and search.budget_micros else ""
    bid = search.cpc_high_micros / 1_000_000 if search else 0.0
    rows: list[dict[str, str]] = [
        {
            "Campaign": campaign,
            "Campaign type": "Search",
            "Campaign status": "Paused",
            "Campaign daily budget": daily,
            "Networks": "Google Search",
            "Bid strategy type": "Manual CPC",
        },
        {"Campaign": campaign, "Ad group": group, "Ad group status": "Paused", "Max CPC": f"{bid:.2f}"},
        {
            "Campaign": campaign,
            "Ad group": group,
            "Ad type": "Responsive search ad",
            "Status": "Paused",
            **dict(zip(headlines, texts[limits.HEADLINE], strict=False)),
            **dict(zip(descriptions, texts[limits.DESCRIPTION], strict=False)),
            **dict(zip(("Path 1", "Path 2"), texts[limits.PATH], strict=False)),
        },
    ]
    for keyword in keywords:
        kind = _MATCH_NAMES[keyword.match]
        rows.append(
            {
                "Campaign": campaign,
                "Ad group": "" if keyword.negative else group,
                "Keyword": keyword.text,
                "Criterion type": f"Campaign Negative {kind}" if keyword.negative else kind,
                "Status": "" if keyword.negative else "Paused",
            }
        )
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({key: safe_cell(value) for key, value in row.items()} for row in rows)
    return out.getvalue()


def _texts(assets: Iterable[AdAsset], kind: campaign_pb2.AdAssetKind.ValueType) -> list[str]:
    return [a.text for a in assets if a.platform == limits.GOOGLE and a.kind == kind]


# --- how-to -----------------------------------------------------------------------------------------------------------


def readme(brief: Brief, draft: PlanDraft, copy: PageCopy, *, connected: bool, controller: str) -> str:
    """campaign/README.txt: what lies here, what to set, and what the page promises in the founder's name."""
    plan = draft.plan
    connect = (
        "   Done: the form posts to the configured address."
        if connected
        else """   PIPELINE_CAMPAIGN_SIGNUP_ENDPOINT=https://your-server.example/signup
   Set it and draft the campaign anew: form, security policy and note follow from this one setting.
   By hand instead: in each index.html fill action="", put the address's origin after "form-action" in the
   Content-Security-Policy line, remove "disabled" from the button, and delete the line that starts with
   <p class="draft". Until then the form sends and stores nothing."""
    )
    who = (
        f"   Named as responsible: {controller}"
        if controller
        else """   PIPELINE_CAMPAIGN_CONTROLLER="Name, postal address, e-mail address"
   Until it is set, privacy.html shows a marked gap. Do not publish it with the gap."""
    )
    adult = "\n   adult            yes (the idea concerns children: only adults sign up)" if copy.adults_only else ""
    return f"""{brief.name or "The idea"}: a {draft.title.lower()}, drafted. Nothing is published, counted or spent yet.

WHAT LIES HERE
   plan.json        the question, the numbers and where they come from; fixed before the first visitor
   ads.json         all ad texts with lengths and the claim that each rests on; keywords
   ads.csv          the search ad for Google Ads Editor (Account > Import > From file); everything paused
   landing-a/       the page whose headline names the problem
   landing-b/       the same page with a headline that names the outcome; nothing else differs

WHAT THE MONEY CAN SHOW
{_wrap(plan.honest_statement)}

PUBLISHING
The short way: `pipeline campaign publish` serves both pages, splits the visitors, keeps the sign-ups and reads them by
the plan; `--dry-run` shows what it would send to whom. Name who is responsible first (2).
The long way, with these files on a server of your own:
1. Connect the form.
{connect}
   The form posts (application/x-www-form-urlencoded):
   email            the address
   consent          yes{adult}
   consent_version  {copy.consent_version}
   variant          a or b
   website          a trap for robots: drop the sign-up where this is filled
   Answer with a page that says what happened. Store nothing without consent; count an address once.
2. Name who is responsible.
{who}
3. Put both folders online, send half of the visitors to each, and set the pages' address as Final URL in Google Ads
   Editor. The pages ask search engines not to list them.
4. Check the platforms' rules for your field before you switch the ads on.

WHAT THE PAGE PROMISES IN YOUR NAME
   You write to those who signed up when it opens, or when you decide not to build it. You use the address for nothing
   else, pass it to nobody, and delete it when asked and when the test is over. Change the page if you cannot keep this.

WHEN TO STOP, HOW TO READ IT
{_wrap(plan.stopping_rule)}
{_wrap(plan.decision_rule)}
{_wrap(wording.variants_note(draft.variant_visitors_needed))}
"""


def launch_readme(brief: Brief, draft: PlanDraft, launch: LaunchPlan) -> str:
    """campaign/README.txt of a launch, whose ads lead to the product itself."""
    return f"""{brief.name or "The idea"}: a launch, drafted. Nothing is published or spent yet.

BEFORE ANYTHING ELSE
{_wrap("A launch needs a product that can be used, and a smoke test or pilot that came out well.")}

WHAT LIES HERE
   plan.json        the question, the numbers, the weeks and where they come from; fixed before the first visitor
   ads.json         all ad texts with lengths and the claim that each rests on; keywords
   ads.csv          the search ad for Google Ads Editor (Account > Import > From file); everything paused

WHAT THE MONEY CAN SHOW
{_wrap(draft.plan.honest_statement)}

WHAT AN ACCOUNT MAY COST
   target           {wording.dollars(launch.target_cpa_micros)}
   stop             {wording.dollars(launch.stop_cpa_micros)}
{_wrap(launch.gate)}

WEEK BY WEEK
{_ramp(launch)}

WHEN TO STOP, HOW TO READ IT
{_wrap(draft.plan.stopping_rule)}
{_wrap(draft.plan.decision_rule)}
"""


def _ramp(launch: LaunchPlan) -> str:
    return "\n".join(
        f"   week {w.week}  {limits.PLATFORM_NAMES[w.platform]:<14} {wording.dollars(w.budget_micros):>10}"
        for w in launch.weeks
    )


def _wrap(text: str) -> str:
    return textwrap.fill(text, 110, initial_indent="   ", subsequent_indent="   ")
