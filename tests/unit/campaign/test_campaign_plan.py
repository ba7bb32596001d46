"""The plan: every number cited, assumed or computed, and plain about what the money cannot show."""

from __future__ import annotations

import json
import re

import pytest

from chassis.figures import Figures
from pipeline.errors import PipelineError
from pipeline.v1 import campaign_pb2, common_pb2, validation_pb2
from pipeline.v1.campaign_pb2 import CampaignResult
from services.campaign.domain import copywriting, plan, wording
from services.campaign.domain import statistics as st
from services.campaign.domain.brief import read_brief
from services.campaign.drafting import Drafter
from tests.support.campaigns import IDEAS, draft, file_of, request_for, result_of

USD = 1_000_000


@pytest.mark.parametrize("key", IDEAS)
@pytest.mark.parametrize("budget", [0, 1, 25, 500, 5000])
def test_every_number_has_its_source(drafter: Drafter, key: str, budget: int) -> None:
    """Channels cite figures and assumptions that the result holds; an assumption is cited or says why."""
    result = draft(drafter, IDEAS[key], budget_usd=budget)
    cited, assumed = {c.id for c in result.citations}, {a.id for a in result.assumptions}
    assert {"baseline-rate", "target-rate", "alpha", "power", "visits-per-click"} <= assumed
    for channel in result.plan.channels:
        assert channel.citation_ids
        assert set(channel.citation_ids) <= cited
        assert set(channel.assumption_ids) <= assumed
        assert channel.cpc_low_micros <= channel.cpc_micros <= channel.cpc_high_micros
        assert channel.clicks_low <= channel.clicks_expected <= channel.clicks_high
        assert channel.clicks_expected == channel.budget_micros // channel.cpc_micros
    for assumption in result.assumptions:
        assert assumption.citation_id in cited or assumption.basis
        assert assumption.low <= assumption.value <= assumption.high
    assert all(c.url.startswith("http") for c in result.citations)
    assert sum(c.budget_micros for c in result.plan.channels) == result.plan.budget_micros == budget * USD


def test_twenty_five_dollars_are_not_a_verdict(drafter: Drafter) -> None:
    """For the food idea $25 buys 12 visitors, and the statement says what that is good for and what it would take."""
    made = draft(drafter, IDEAS["food"]).plan
    assert made.visitors_affordable == 12
    assert made.honest_statement.startswith(
        "$25 at $2.05 a click buys about 12 visitors (4 to 16): enough to find a broken"
    )
    assert f"about {made.sample_size_needed} visitors" in made.honest_statement
    assert made.detectable_effect_at_budget == pytest.approx(st.detectable_effect(12, 0.038))
    assert "3 sign-ups or more" in made.decision_rule
    assert "inconclusive" in made.decision_rule


def test_no_money_is_said_plainly(drafter: Drafter) -> None:
    """Without a budget nothing is bought, the price of the question still stands, and a way without money is named."""
    made = draft(drafter, IDEAS["clinic"], budget_usd=0).plan
    assert (made.visitors_affordable, made.detectable_effect_at_budget) == (0, 0.0)
    assert made.cost_needed_micros > 0
    assert made.honest_statement.startswith("No money is set for ads")
    assert "people you can reach yourself" in made.honest_statement


def test_enough_money_says_how_much_is_too_much(drafter: Drafter) -> None:
    """Above the needed sample the plan stops at it and names what is not needed."""
    made = draft(drafter, IDEAS["food"], budget_usd=5000).plan
    assert made.visitors_affordable >= made.sample_size_needed
    assert "is not needed" in made.honest_statement
    assert f"Stop at {made.sample_size_needed} visitors" in made.stopping_rule


def test_the_sample_gives_the_exact_test_its_power(drafter: Drafter) -> None:
    """At the needed sample the exact test reaches the stated power at no more than the stated alpha."""
    for idea in IDEAS.values():
        made = draft(drafter, idea).plan
        n, p0, p1 = made.sample_size_needed, made.baseline_rate, made.target_rate
        assert n >= st.sample_size(p0, p1)
        assert st.exact_power(n, p0, p1) >= made.power
        assert made.minimum_detectable_effect == pytest.approx(p1 - p0)


def test_needed_money_buys_the_needed_sample(drafter: Drafter, figures: Figures) -> None:
    """Planning with the stated cost buys the stated sample, to within one click a channel."""
    for idea in IDEAS.values():
        first = draft(drafter, idea).plan
        again = draft(drafter, idea, budget_usd=first.cost_needed_micros / USD).plan
        assert again.visitors_affordable >= first.sample_size_needed - len(again.channels)


def test_channels_follow_the_customer(drafter: Drafter) -> None:
    """Businesses are met on search, and on LinkedIn only with money for enough clicks; consumers on search and Meta."""
    google, meta, linkedin = (
        campaign_pb2.AD_PLATFORM_GOOGLE_SEARCH,
        campaign_pb2.AD_PLATFORM_META,
        campaign_pb2.AD_PLATFORM_LINKEDIN,
    )

    def channels(key: str, budget: float) -> list[int]:
        return [c.platform for c in draft(drafter, IDEAS[key], budget_usd=budget).plan.channels]

    assert channels("fraud", 25) == [google]
    assert channels("fraud", 1000) == [google]
    assert channels("fraud", 5000) == [google, linkedin]
    assert channels("food", 25) == [google]
    assert channels("food", 500) == [google, meta]
    split = draft(drafter, IDEAS["fraud"], budget_usd=5000).plan
    assert all(c.clicks_expected >= plan.CHANNEL_CLICKS_MIN for c in split.channels)


def test_a_target_next_to_the_baseline_is_passed_over(drafter: Drafter) -> None:
    """Finance converts at 2.64%, below the baseline: the all-industries rate is the target, and the reason is given."""
    result = draft(drafter, IDEAS["fraud"])
    assert result.plan.target_rate == pytest.approx(0.0818)
    assumption = next(a for a in result.assumptions if a.id == "target-rate")
    assert "too close" in assumption.basis or "below" in assumption.basis


def test_without_figures_everything_is_marked_as_assumed() -> None:
    """With no figures at all the plan still stands, on assumptions that say so."""
    brief = read_brief(request_for(IDEAS["food"]).profile, [])
    made = plan.make_plan(Figures([]), brief, "", common_pb2.CUSTOMER_TYPE_B2C, 25 * USD, copywriting.WAITING_LIST)
    assert made.citations == []
    assert all(not a.citation_id and a.basis for a in made.assumptions)
    assert made.plan.sample_size_needed > 0


def test_rules_are_fixed_before_the_first_visitor(drafter: Drafter) -> None:
    """Hypothesis, metric, stopping and decision rule carry their numbers; plan.json repeats them with the counts."""
    result = draft(drafter, IDEAS["clinic"], budget_usd=300, name="Clinicwell")
    made = result.plan
    assert "Clinicwell" in made.hypothesis
    assert wording.percent(made.target_rate) in made.hypothesis
    written = json.loads(file_of(result, "campaign/plan.json"))
    assert written["plan"]["decision_rule"] == made.decision_rule
    reading = written["statistics"]["reading_at_needed_sample"]
    assert reading["unwanted"] < reading["wanted"] <= reading["visitors"] == made.sample_size_needed


@pytest.mark.parametrize(
    ("micros", "text"),
    [(25 * USD, "$25"), (2_050_000, "$2.05"), (1_234_000_000, "$1,234"), (0, "$0"), (740_000, "$0.74")],
)
def test_dollars(micros: int, text: str) -> None:
    """Money is written as people write it."""
    assert wording.dollars(micros) == text


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"ad_budget_micros": -1}, "ad_budget_micros"),
        ({"ad_budget_micros": 10**13}, "ad_budget_micros"),
        ({"campaign_type": 77}, "campaign_type"),
    ],
)
def test_bad_requests_name_the_field(drafter: Drafter, change: dict[str, int], field: str) -> None:
    """A negative or absurd budget and an unknown campaign type are refused with the field and the mend."""
    request = request_for(IDEAS["food"])
    for name, value in change.items():
        setattr(request, name, value)
    with pytest.raises(PipelineError) as caught:
        list(drafter.draft(request))
    assert caught.value.violations[0].field == field


def test_an_empty_profile_is_refused(drafter: Drafter) -> None:
    """Without an idea there is nothing to draft."""
    with pytest.raises(PipelineError, match=r"profile\.idea"):
        list(drafter.draft(campaign_pb2.DraftCampaignRequest()))


def test_a_draft_names_what_it_is_not(drafter: Drafter) -> None:
    """Status DRAFT; publishing, form, responsible person and sample are missing with a next step each."""
    result = draft(drafter, IDEAS["food"])
    assert result.status == campaign_pb2.CAMPAIGN_STATUS_DRAFT
    kinds = {m.subject: m.kind for m in result.missing}
    assert kinds["publishing the ads"] == common_pb2.MISSING_KIND_NOT_CONFIGURED
    assert kinds["sign-up form"] == common_pb2.MISSING_KIND_NOT_CONFIGURED
    assert kinds["responsible person on the privacy page"] == common_pb2.MISSING_KIND_FOUNDER_INPUT
    assert kinds["a sample that answers the question"] == common_pb2.MISSING_KIND_BUDGET
    assert all(m.next_step and m.reason for m in result.missing)


def _of_kind(drafter: Drafter, kind: common_pb2.CampaignType.ValueType, budget: int = 2000) -> CampaignResult:
    request = request_for(IDEAS["clinic"], budget_usd=budget)
    request.campaign_type = kind
    return result_of(list(drafter.draft(request)))


def test_a_launch_asks_what_an_account_costs(drafter: Drafter) -> None:
    """FULL_LAUNCH plans weeks that ramp up and add up, a target and a stop, and says that a smoke test comes first."""
    result = _of_kind(drafter, common_pb2.CAMPAIGN_TYPE_FULL_LAUNCH)
    assert result.campaign_type == common_pb2.CAMPAIGN_TYPE_FULL_LAUNCH
    launch = json.loads(file_of(result, "campaign/plan.json"))["launch"]
    assert sum(week["budget_micros"] for week in launch["weeks"]) == result.plan.budget_micros
    assert launch["weeks"][0]["budget_micros"] < launch["weeks"][-1]["budget_micros"]
    assert launch["stop_cost_per_account_micros"] == pytest.approx(2 * launch["target_cost_per_account_micros"], abs=2)
    assert "campaign_type" in {n.subject for n in result.notices}
    assert "the product and its price" in {m.subject for m in result.missing}


def test_a_launch_never_says_that_the_product_is_not_there(drafter: Drafter) -> None:
    """A launch's ads speak of a product that is out, and lead to it: no page that says it does not exist."""
    result = _of_kind(drafter, common_pb2.CAMPAIGN_TYPE_FULL_LAUNCH)
    said = [a.text for a in result.assets if re.search(r"not out|waiting|an idea|not a product|would", a.text, re.I)]
    assert said == []
    assert not result.landing_pages
    assert {a.path for a in result.artifacts} == {
        f"campaign/{n}" for n in ("plan.json", "ads.json", "ads.csv", "README.txt")
    }


def test_a_launch_has_one_use_for_all_its_money(drafter: Drafter) -> None:
    """What the question leaves over is what the weeks spend: no sentence calls it spare, stops early or names pages."""
    plan = _of_kind(drafter, common_pb2.CAMPAIGN_TYPE_FULL_LAUNCH).plan
    assert plan.cost_needed_micros < plan.budget_micros
    assert "not needed" not in plan.honest_statement
    assert "week by week" in plan.honest_statement
    assert "Stop at" not in plan.stopping_rule
    assert "until the money is spent" in plan.stopping_rule
    assert "pages" not in plan.decision_rule


def test_a_pilot_never_asks_whether_to_build_it(drafter: Drafter) -> None:
    """A pilot looks for people who try it: no text says that it is not built, an idea, or for them to have a say."""
    result = _of_kind(drafter, common_pb2.CAMPAIGN_TYPE_PILOT)
    said = [a.text for a in result.assets if re.search(r"not built|an idea|have a say|before we build", a.text, re.I)]
    assert said == []


def test_each_kind_asks_its_own_question(drafter: Drafter) -> None:
    """Smoke test, pilot and launch differ in hypothesis, metric, rates and in what is asked of the reader."""
    kinds = (
        common_pb2.CAMPAIGN_TYPE_SMOKE_TEST, common_pb2.CAMPAIGN_TYPE_PILOT, common_pb2.CAMPAIGN_TYPE_FULL_LAUNCH
    )  # fmt: skip
    made = [_of_kind(drafter, kind) for kind in kinds]
    for said in ("hypothesis", "metric", "baseline_rate", "target_rate", "honest_statement"):
        values = {getattr(result.plan, said) for result in made}
        assert len(values) == 3 or (said == "target_rate" and len(values) >= 2)


def test_a_no_go_verdict_is_repeated_where_money_is_planned(drafter: Drafter) -> None:
    """Whoever plans to spend against the verdict is told so."""
    request = request_for(IDEAS["food"])
    request.verdict.recommendation = validation_pb2.RECOMMENDATION_NO_GO
    assert "verdict" in {n.subject for n in result_of(list(drafter.draft(request))).notices}


def test_a_pilot_asks_for_applications(drafter: Drafter) -> None:
    """PILOT counts applications, and says so in the metric, on the page and in the ads."""
    request = request_for(IDEAS["clinic"])
    request.campaign_type = common_pb2.CAMPAIGN_TYPE_PILOT
    result = result_of(list(drafter.draft(request)))
    assert result.plan.metric.startswith("applications per visitor")
    assert result.landing_pages[0].call_to_action == "Apply for the pilot"
    assert any("pilot" in a.text for a in result.assets)
