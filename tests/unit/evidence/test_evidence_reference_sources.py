"""What single sources of reference make of their answers: order, what is left out, figures, competitors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bench.replay.api import Answer
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2
from services.evidence.domain.model import Found, IdeaFacts, Query
from services.evidence.domain.stance import judge
from services.evidence.providers.registry import SOURCES
from tests.support.evidence_kit import candidate, query
from tests.support.replay import api_of, asking, replayed

TUTORING = IdeaFacts("Tutoring for students")


def about(kind: int, *terms: str) -> Query:
    return query(kind, terms=terms, idea=TUTORING)


async def ask(name: str, answer: Any, question: Query, **headers: str) -> tuple[list[Found], list[dict[str, str]]]:
    """(what the provider found in this JSON, the parameters it asked with)."""
    source = next(source for source in SOURCES if source.name == name)
    async with replayed(api_of(name)) as server, asking(source, server.url) as provider:
        fields = {field.replace("_", "-"): value for field, value in headers.items()}
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        server.answer = Answer(200, body, {"Content-Type": "application/json", **fields})
        found = list(await provider.search(question))
        return found, [dict(call.query) for call in server.asked]


# ------------------------------------------------------------------------------------- Wikipedia

PROBLEM = about(common_pb2.CLAIM_KIND_PROBLEM, "tutoring", "students")


def page(number: int, index: int, title: str, **fields: Any) -> dict[str, Any]:
    return {str(number): {"pageid": number, "ns": 0, "title": title, "index": index, "extract": f"{title}.", **fields}}


async def test_wikipedia_keeps_the_order_of_the_search() -> None:
    """Pages come by page id, their rank is in `index`."""
    pages = page(1, 3, "Third") | page(2, 1, "First") | page(3, 2, "Second")
    found, _ = await ask("wikipedia", {"query": {"pages": pages}}, PROBLEM)
    assert [source.title for source in found] == ["First", "Second", "Third"]


async def test_wikipedia_leaves_out_what_explains_nothing() -> None:
    """Lists of meanings, pages without an opening and missing ones."""
    pages = (
        page(1, 1, "Tutor (disambiguation)", pageprops={"disambiguation": ""})
        | page(2, 2, "Empty", extract=" \n")
        | page(-1, 3, "Gone", missing="")
        | page(4, 4, "Tutoring", revisions=[{"timestamp": "2026-03-25T15:46:00Z"}])
    )
    found, _ = await ask("wikipedia", {"query": {"pages": pages}}, PROBLEM)
    assert [(source.title, str(source.published_at)) for source in found] == [("Tutoring", "2026-03-25 15:46:00+00:00")]


async def test_a_wikis_error_header_alone_is_an_error() -> None:
    """A body without `error` under the header `MediaWiki-API-Error` is not taken for an answer."""
    with pytest.raises(PipelineError) as caught:
        await ask("wikipedia", {"batchcomplete": ""}, PROBLEM, MediaWiki_API_Error="maxlag")
    assert (caught.value.reason_name, caught.value.retry_after) == ("UPSTREAM_RATE_LIMITED", 5.0)


@pytest.mark.parametrize(
    ("code", "cause"), [("internal_api_error_DBQueryError", "fault"), ("readonly", "fault"), ("badvalue", "refused")]
)
async def test_a_wikis_own_fault_is_told_from_a_refusal(code: str, cause: str) -> None:
    """The one passes, the other comes again with every try."""
    with pytest.raises(PipelineError) as caught:
        await ask("wikipedia", {"error": {"code": code, "info": "..."}}, PROBLEM, MediaWiki_API_Error=code)
    assert (caught.value.metadata["cause"], caught.value.metadata["code"]) == (cause, code)


# ------------------------------------------------------------------------------------- Wikidata


def item(number: int, label: str, description: str, **fields: Any) -> dict[str, Any]:
    return {"id": f"Q{number}", "label": label, "description": description, **fields}


HITS = {
    "search": [
        item(1, "Tutoring", "private academic help"),
        item(2, "TutorMe", "American education technology company", match={"type": "alias", "text": "Tutor Me"}),
        item(3, "Tutor", "album by a software company"),
        item(4, "Tutoring", "scientific article published in 2009"),
        item(5, "Tutoring", "Wikimedia disambiguation page"),
        {"id": "Q6", "label": "No description"},
        item(7, "", "software"),
        {"id": "P8", "label": "A property", "description": "software"},
    ]
}


async def test_wikidata_names_as_competitors_only_what_is_offered() -> None:
    """Companies and products, with the alias that matched; no albums, papers, properties or bare names."""
    found, _ = await ask("wikidata", HITS, about(common_pb2.CLAIM_KIND_COMPETITION, "tutor"))
    (rival,) = found
    assert rival.text == "TutorMe: American education technology company. Also called Tutor Me."
    assert rival.product is not None
    assert (rival.product.name, rival.product.source_url) == ("TutorMe", "https://www.wikidata.org/wiki/Q2")


async def test_wikidata_describes_who_an_audience_is() -> None:
    """Without a claim about competitors nothing is called a product."""
    found, _ = await ask("wikidata", HITS, about(common_pb2.CLAIM_KIND_AUDIENCE, "tutor"))
    assert [source.title for source in found] == ["Tutoring", "TutorMe"]
    assert all(source.product is None for source in found)


async def test_wikidata_asks_the_second_phrase_only_when_the_first_finds_nothing() -> None:
    """Two calls at most."""
    asked = about(common_pb2.CLAIM_KIND_AUDIENCE, "tutor", "high school students", "lessons")
    _, once = await ask("wikidata", HITS, asked)
    _, twice = await ask("wikidata", {"search": []}, asked)
    assert [call["search"] for call in once] == ["tutor"]
    assert [call["search"] for call in twice] == ["tutor", "high school students"]


# ------------------------------------------------------------------------------------- World Bank


def row(year: str, value: Any, **fields: Any) -> dict[str, Any]:
    return {
        "indicator": {"id": "SE.XPD.TOTL.GD.ZS", "value": "Government expenditure on education, total (% of GDP)"},
        "country": {"id": "1W", "value": "World"},
        "date": year,
        "value": value,
        **fields,
    }


META = {"page": 1, "pages": 1, "per_page": 6, "total": 3}
ROWS = [row("2023", 3.81234), row("2018", 2.0), row("2024", None), row("2022", "high"), row("Q1", 1.0), {}]


async def test_a_trend_is_read_off_the_oldest_and_the_newest_year() -> None:
    """For timing the older figure is the baseline, and more spending speaks for it; both stand in the text."""
    asked = about(common_pb2.CLAIM_KIND_TIMING, "tutoring")
    ((spending,), _) = await ask("worldbank", [META, ROWS], asked)
    assert spending.text == "World, Government expenditure on education, total (% of GDP): 3.81 in 2023; 2 in 2018."
    assert spending.figure is not None
    assert spending.baseline is not None
    assert (spending.figure.value, spending.figure.unit, spending.baseline.year) == (3.81, "% of GDP", 2018)
    verdict = judge(candidate(spending, asked, relevance=0.5))
    assert (verdict.stance, verdict.reason) == (common_pb2.STANCE_SUPPORTS, "90% above its value of 2018")


async def test_a_size_is_a_base_rate() -> None:
    """Without a question about time the figure has no direction and takes no side."""
    asked = about(common_pb2.CLAIM_KIND_MARKET_SIZE, "tutoring")
    ((spending,), _) = await ask("worldbank", [META, ROWS], asked)
    assert (spending.baseline, spending.more_is_better, spending.fit) == (None, None, 0.5)
    assert judge(candidate(spending, asked, relevance=0.5)).stance == common_pb2.STANCE_MENTIONS


async def test_large_numbers_are_written_as_readers_write_them() -> None:
    """The figure is the number that stands in the text."""
    asked = about(common_pb2.CLAIM_KIND_MARKET_SIZE, "tutoring")
    ((people,), _) = await ask("worldbank", [META, [row("2023", 8061876001.4)]], asked)
    assert "8,061,876,001 in 2023" in people.text
    assert people.figure is not None
    assert people.figure.value == 8061876001


@pytest.mark.parametrize("rows", [None, [], [row("2023", None)], [row("2023", True)], [{"value": 1}]])
async def test_no_value_is_no_find(rows: Any) -> None:
    """Null rows are how the API says "none"."""
    found, _ = await ask("worldbank", [META, rows], about(common_pb2.CLAIM_KIND_MARKET_SIZE, "tutoring"))
    assert found == []


async def test_a_message_is_a_refusal_with_its_number() -> None:
    """Under HTTP 200, as a list of one: understood, not taken for something unreadable."""
    message = [{"message": [{"id": "120", "key": "Invalid value", "value": "The parameter is not valid"}]}]
    with pytest.raises(PipelineError) as caught:
        await ask("worldbank", message, about(common_pb2.CLAIM_KIND_MARKET_SIZE, "tutoring"))
    assert (caught.value.metadata["cause"], caught.value.metadata["code"]) == ("refused", "120")


# ------------------------------------------------------------------------------------- papers and filings


async def test_a_retracted_paper_is_left_out() -> None:
    """Whatever the filter let through."""
    work = {"id": "https://openalex.org/W1", "display_name": "Tutoring", "abstract_inverted_index": {"Helps.": [0]}}
    found, _ = await ask("openalex", {"results": [work, {**work, "is_retracted": True}]}, PROBLEM)
    assert [(source.url, source.text) for source in found] == [("https://openalex.org/W1", "Helps.")]


async def test_a_filing_is_told_in_one_sentence() -> None:
    """Company without its numbers, form, period, day, and the words it was found with."""
    facts = {
        "display_names": ["Chegg, Inc.  (CHGG)  (CIK 0001364954)"],
        "ciks": ["0001364954"],
        "form": "10-K",
        "file_date": "2025-02-20",
        "period_ending": "2024-12-31",
    }
    hits = [
        {"_id": "0001364954-25-000012:chgg-20241231.htm", "_source": facts},
        {"_id": "0001364954-25-000012:../../etc/passwd", "_source": facts},
        {"_id": "0001364954-25-000013:x.htm", "_source": {**facts, "ciks": ["1/../2"]}},
        {"_id": "0001364954-25-000014:x.htm", "_source": {**facts, "file_date": ""}},
    ]
    asked = about(common_pb2.CLAIM_KIND_WILLINGNESS_TO_PAY, "online tutoring", "students")
    found, calls = await ask("sec", {"hits": {"hits": hits}}, asked)
    assert [source.url for source in found] == [
        "https://www.sec.gov/Archives/edgar/data/1364954/000136495425000012/chgg-20241231.htm"
    ]
    assert found[0].text == (
        "Chegg, Inc. filed form 10-K for the period that ended on 2024-12-31 with the SEC on 2025-02-20; "
        'full-text search lists it for "online tutoring" students.'
    )
    assert calls[0]["q"] == '"online tutoring" students'
