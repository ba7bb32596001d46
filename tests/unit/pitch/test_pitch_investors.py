"""Five readers, five decks: other slides, other figures, another ask."""

from __future__ import annotations

import itertools

import pytest

from pipeline.v1 import common_pb2, pitch_pb2, validation_pb2
from services.pitch.domain import plans
from services.pitch.domain.deck import Deck
from services.pitch.domain.difference import unshared
from tests.support.pitches import IDEAS, INVESTORS, deck_of, reference_deck, request_for

ANGEL, SEED = common_pb2.INVESTOR_TYPE_ANGEL, common_pb2.INVESTOR_TYPE_SEED
SERIES_A, GROWTH = common_pb2.INVESTOR_TYPE_SERIES_A, common_pb2.INVESTOR_TYPE_GROWTH
STRATEGIC = common_pb2.INVESTOR_TYPE_STRATEGIC
# Of what two decks of one idea state together, at least this share is in one of them only.
FLOOR = 0.5


def slide_of(deck: Deck, slide_type: int) -> pitch_pb2.Slide:
    return next(slide for slide in deck.slides if slide.type == slide_type)


def text_of(slide: pitch_pb2.Slide) -> str:
    cells = [cell for row in slide.table.rows for cell in row.cells]
    return " ".join([slide.title, *(statement.text for statement in slide.statements), *cells])


@pytest.mark.parametrize("key", IDEAS)
def test_two_readers_share_at_most_half_of_what_their_decks_state(key: str) -> None:
    """For one idea, any two investor types read decks that differ in most of their statements, rows and charts."""
    for one, other in itertools.combinations(INVESTORS, 2):
        share = unshared(reference_deck(key, one).slides, reference_deck(key, other).slides)
        assert share >= FLOOR, f"{one} and {other} share {1 - share:.0%}"


def test_the_measure_of_difference_can_fail() -> None:
    """A deck does not differ from itself, and a shuffled one does not either."""
    slides = reference_deck("food", SEED).slides
    assert unshared(slides, slides) == 0
    assert unshared(slides, tuple(reversed(slides))) == 0
    assert unshared(slides, ()) == 1


@pytest.mark.parametrize("investor", INVESTORS)
@pytest.mark.parametrize("key", IDEAS)
def test_every_number_of_every_deck_is_covered(key: str, investor: int) -> None:
    """Each slide of each deck passes the check of numbers, and nothing had to be left out to get there."""
    deck = reference_deck(key, investor)
    for slide in deck.slides:
        deck.coverage.check_slide(slide)
    assert [notice.message for notice in deck.notices if notice.subject == "deck"] == []


def test_plans_hold_what_their_reader_weighs() -> None:
    """Milestones for an angel, experiments for a seed fund, unit economics from Series A on, fit for a partner."""
    types = {investor: set(plans.plan_for(investor).slides) for investor in INVESTORS}
    assert {pitch_pb2.SLIDE_TYPE_MILESTONES, pitch_pb2.SLIDE_TYPE_TEAM} <= types[ANGEL]
    assert {pitch_pb2.SLIDE_TYPE_WHY_NOW, pitch_pb2.SLIDE_TYPE_FINANCIALS} <= types[SEED]
    assert all(pitch_pb2.SLIDE_TYPE_UNIT_ECONOMICS in types[investor] for investor in (SERIES_A, GROWTH))
    assert {pitch_pb2.SLIDE_TYPE_STRATEGIC_FIT, pitch_pb2.SLIDE_TYPE_RISKS} <= types[STRATEGIC]
    assert all(pitch_pb2.SLIDE_TYPE_AGAINST in kinds for kinds in types.values())


def test_later_money_goes_into_customers_and_earlier_money_into_the_product() -> None:
    """The use of funds follows the round: a growth plan spends more on winning customers than an angel's does."""
    shares = {}
    for investor in (ANGEL, GROWTH):
        values = {item.label: item.value for item in reference_deck("food", investor).marks.assumptions}
        shares[investor] = values["Share of round: finding customers"]
    assert shares[ANGEL] < shares[GROWTH]


def test_an_angel_is_asked_for_a_first_part_of_the_round() -> None:
    """The ask of those who pay in parts is derived from the round and from a stated share of it."""
    values = {item.id: item.value for item in reference_deck("clinic", ANGEL).marks.assumptions}
    assert values["first-amount"] == pytest.approx(1_000_000 * values["first-part"] / 100)


def test_a_partner_is_asked_for_a_pilot_and_not_for_a_round() -> None:
    """A strategic deck prices its pilot by the month and shows no round, no valuation and no use of funds."""
    deck = reference_deck("clinic", STRATEGIC)
    values = {item.id: item.value for item in deck.marks.assumptions}
    assert values["pilot-cost"] == pytest.approx(values["build-months"] * values["pilot-month"])
    slide = slide_of(deck, pitch_pb2.SLIDE_TYPE_ASK)
    assert "pilot" in slide.title
    assert not slide.HasField("chart")
    said = " ".join(text_of(page) for page in deck.slides).lower()
    assert not any(word in said for word in ("valuation", "median of such rounds", "dilution", "som,"))


@pytest.mark.parametrize("investor", INVESTORS)
@pytest.mark.parametrize("idea", sorted(IDEAS))
def test_the_base_lies_between_cautious_and_hopeful(idea: str, investor: common_pb2.InvestorType.ValueType) -> None:
    """Whatever is computed at the base inputs lies strictly between the percentiles of its simulation."""
    for item in reference_deck(idea, investor).marks.assumptions:
        assert item.low <= item.value <= item.high, item.label
        if item.id in {"ltv-to-cac", "cac", "tam", "sam"} or item.id.startswith("revenue-year"):
            assert item.low < item.value < item.high, item.label


def test_measured_columns_stay_empty_until_somebody_measures() -> None:
    """A Series A deck shows others' figures beside brackets for ours; it invents no traction."""
    rows = slide_of(reference_deck("clinic", SERIES_A), pitch_pb2.SLIDE_TYPE_TRACTION).table.rows
    assert len(rows) >= 4
    assert all(row.cells[1] == "[measured value, date]" and row.citation_ids for row in rows)


def test_what_would_turn_the_verdict_is_said() -> None:
    """The verdict's nearest flips stand on the slide against us; without any, what would change it does."""
    request = request_for(IDEAS["clinic"])
    plain = text_of(slide_of(deck_of(request), pitch_pb2.SLIDE_TYPE_AGAINST))
    assert "Would change our mind: a count of buyers" in plain
    request.verdict.flips.add(
        fact="Three more sources contradict the problem (2 and 1).", recommendation=validation_pb2.RECOMMENDATION_NO_GO
    )
    turned = text_of(slide_of(deck_of(request), pitch_pb2.SLIDE_TYPE_AGAINST))
    assert "Would turn it to “do not pursue it as it stands”: three more sources contradict the problem" in turned


def test_nothing_found_against_us_is_said_to_prove_little() -> None:
    """Without a contradicting source the slide says so, and still doubts."""
    slide = slide_of(deck_of(request_for(IDEAS["food"], evidence=())), pitch_pb2.SLIDE_TYPE_AGAINST)
    assert "proves little" in slide.title
    assert slide.table.rows


def test_an_offer_is_not_taken_for_a_pain() -> None:
    """Where the text before the colon was read as the problem, the deck says that the pain is still to be named."""
    request = request_for("Invoice financing for freelancers: we advance unpaid invoices and collect from the client")
    request.profile.problem = "invoice financing for freelancers"
    assert "still to be named" in slide_of(deck_of(request), pitch_pb2.SLIDE_TYPE_PROBLEM).title


def test_a_device_is_not_priced_like_an_app() -> None:
    """A wearable carries a device's price span, shown as an assumption like any other."""
    idea = "A fall-detection wearable for seniors who live alone that calls a relative when it notices a fall"
    request = request_for(idea, evidence=())
    request.profile.business_model = common_pb2.BUSINESS_MODEL_HARDWARE_SALE
    (price,) = [item for item in deck_of(request).marks.assumptions if item.id == "price-month"]
    assert price.value >= 20
    assert "device" in price.basis


def test_a_plan_that_wants_much_of_the_market_says_so() -> None:
    """A Series A deck sets the customers of its base plan beside all accounts there are, and draws the conclusion."""
    for key in ("clinic", "food"):
        deck = reference_deck(key, SERIES_A)
        values = {item.id: item.value for item in deck.marks.assumptions}
        large = values["customers-year-3"] > 0.05 * values["accounts"]
        text = text_of(slide_of(deck, pitch_pb2.SLIDE_TYPE_MARKET))
        assert ("a large part of all there are" in text) == large
        assert ("what limits it is demand" in text) != large
