"""Numbers that nothing covers leave the slide, and numbers inside a citation are part of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.v1 import common_pb2, pitch_pb2
from services.pitch.domain import covered
from services.pitch.domain import deck as decks
from services.pitch.domain.deck import Deck
from services.pitch.domain.numbers import Coverage
from services.pitch.render.html_writer import write_html
from services.pitch.render.layout import is_numeric, paginate
from tests.support.pitches import IDEAS, deck_of, item, request_for, shipped

CLAIMS = ("problem", "timing", "market-size", "feasibility", "willingness-to-pay")
TITLES = {
    "digits": "7 ways to waste 30% less in 2024: 1,234.5 tips, 3x faster",
    "long": "Why 12 of 400 clinics " + "keep 99 lists " * 28,
    "unbroken": "9a" * 200,
    "emoji": "🔥 10 hacks 1️⃣2️⃣ 👩‍🍳 for 5€ 🥕",
    "right-to-left": "٧ طرق لتقليل هدر الطعام بنسبة 30% — דוח 2024",
    "markup": "<script>alert(1)</script> & <b>50%</b> {0} {name} [2] %s",
    "invisible": "1\u200b2 clinics\u202e 34\u2066 of 5\u00ad6",
    "nothing": "",
}
HOSTS = ("127.0.0.1:8080", "[::1]:5", "web3.example", "4chan.org", "7-eleven.example", "24.7.example", "1.1.1.1")


def without_gaps(deck: Deck) -> Deck:
    """The deck, after each of its slides was checked anew: all numbers are covered and nothing was left out."""
    for slide in deck.slides:
        deck.coverage.check_slide(slide)
    assert [notice.message for notice in deck.notices if notice.subject == "deck"] == []
    return deck


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("title", TITLES.values(), ids=TITLES)
def test_numbers_in_titles_and_hosts_are_part_of_the_citation(title: str, host: str) -> None:
    """Whatever a source is called and wherever it stands, it is quoted with its number and listed."""
    evidence = [
        item(
            claim,
            f"{title} Of {place + 3} people asked, {place + 2} agreed.",
            title=title,
            url=f"http://{host}/{place}",
        )
        for place, claim in enumerate(CLAIMS)
    ]
    deck = without_gaps(deck_of(request_for(IDEAS["clinic"], evidence=evidence)))
    listed = [citation for citation in deck.marks.citations if citation.url.startswith(f"http://{host}/")]
    assert listed
    rows = [row for slide in deck.slides if slide.type == pitch_pb2.SLIDE_TYPE_SOURCES for row in slide.table.rows]
    assert {citation.id for citation in listed} <= {key for row in rows for key in row.citation_ids}
    page = write_html(deck).decode()
    assert "<script>alert" not in page


@settings(max_examples=40, deadline=None)
@given(title=st.text(max_size=500), quote=st.text(min_size=1, max_size=900), host=st.from_regex(r"[a-z0-9.-]{1,40}"))
def test_any_source_can_be_quoted(title: str, quote: str, host: str) -> None:
    """No text of the web stops the deck, and what is left on it is covered."""
    evidence = [item(claim, quote, title=title, url=f"https://{host}/{claim}") for claim in CLAIMS]
    deck = deck_of(request_for(IDEAS["food"], evidence=evidence))
    for slide in deck.slides:
        deck.coverage.check_slide(slide)


def test_a_number_of_ours_without_a_source_costs_its_line_and_not_the_deck() -> None:
    """A planning text that names a number is left out of the slide, and a notice says which and why."""
    figures, sizing = shipped()
    numbered = [replace(group, confirm_with="the 1871 census") for group in sizing.buyers]
    odd = replace(
        sizing,
        buyers=tuple(numbered),
        fallback={key: replace(group, confirm_with="the 1871 census") for key, group in sizing.fallback.items()},
    )
    request = request_for(IDEAS["clinic"], evidence=())
    deck = decks.build(request, figures, odd, paginate)
    market = next(slide for slide in deck.slides if slide.type == pitch_pb2.SLIDE_TYPE_MARKET)
    assert market.statements
    assert all("1871" not in statement.text for statement in market.statements)
    (notice,) = [notice for notice in deck.notices if notice.subject == "deck"]
    assert "1871" in notice.message
    assert "Market" in notice.message
    assert notice.phase == common_pb2.PHASE_PITCH
    for slide in deck.slides:
        deck.coverage.check_slide(slide)


def bad_and_good() -> pitch_pb2.Slide:
    """A slide with one covered and one uncovered number in each of its parts."""
    slide = pitch_pb2.Slide(type=pitch_pb2.SLIDE_TYPE_GO_TO_MARKET, title="42 reasons")
    slide.statements.add(text="From 7 on.", citation_ids=["c"])
    slide.statements.add(text="It grows 42% a year.", citation_ids=["c"])
    slide.table.header[:] = ["What", "How many"]
    slide.table.rows.add(cells=["Clinics", "7"], citation_ids=["c"])
    slide.table.rows.add(cells=["Growers", "42"], citation_ids=["c"])
    slide.chart.CopyFrom(
        pitch_pb2.Chart(
            title="Clicks", series=[pitch_pb2.ChartSeries(name="each", values=[7.0, 42.0])], citation_ids=["c"]
        )
    )
    return slide


def test_what_is_covered_stays_and_the_rest_is_told() -> None:
    """Title, line, row and chart with an uncovered number go; each is named in a notice; the others stand."""
    slide, coverage = bad_and_good(), Coverage({"c": (7.0,)}, {})
    told = covered.settle(slide, coverage)
    assert slide.title == "Go to market"
    assert [statement.text for statement in slide.statements] == ["From 7 on."]
    assert [list(row.cells) for row in slide.table.rows] == [["Clinics", "7"]]
    assert not slide.HasField("chart")
    assert [notice.message.split(" ")[1] for notice in told] == ["title", "line", "row", "chart"]
    coverage.check_slide(slide)


def test_a_slide_that_would_be_empty_says_so() -> None:
    """Where every line goes, one stands that says what became of them."""
    slide = pitch_pb2.Slide(type=pitch_pb2.SLIDE_TYPE_PROBLEM, title="The problem")
    slide.statements.add(text="It costs $42.")
    assert len(covered.settle(slide, Coverage({}, {}))) == 1
    assert [statement.text for statement in slide.statements] == [covered.GAP]


def test_a_covered_slide_is_left_as_it_is() -> None:
    """Nothing is taken off, and nothing is told, where every number has its source."""
    slide = bad_and_good()
    before = slide.SerializeToString(deterministic=True)
    assert covered.settle(slide, Coverage({"c": (7.0, 42.0)}, {}, names=("42 reasons",))) == []
    assert slide.SerializeToString(deterministic=True) == before


def test_a_row_of_the_source_list_needs_no_second_source() -> None:
    """Title and site of a listed source are the citation; the same cells on another slide are checked."""
    row = pitch_pb2.TableRow(cells=["[1]", "7 ways", "127.0.0.1", "low"], citation_ids=["c"])
    listed = pitch_pb2.Slide(type=pitch_pb2.SLIDE_TYPE_SOURCES, table=pitch_pb2.Table(rows=[row]))
    elsewhere = pitch_pb2.Slide(type=pitch_pb2.SLIDE_TYPE_RISKS, table=pitch_pb2.Table(rows=[row]))
    coverage = Coverage({"c": ()}, {})
    coverage.check_slide(listed)
    assert len(covered.settle(elsewhere, coverage)) == 1


def test_an_address_of_digits_is_set_like_a_site() -> None:
    """Numbers stand on the right of their column; an address is none."""
    assert all(map(is_numeric, ("$1,234.5", "18.3%", "3x", "130 million", "-4", "24 months")))
    assert not any(map(is_numeric, ("127.0.0.1", "1.1.1.1", "3.5.example", "", "[3]")))
