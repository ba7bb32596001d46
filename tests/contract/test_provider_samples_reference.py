"""The providers on responses that the real APIs once gave, where the reference folder is present.

The folder (`shared/api-samples` beside the repository) is not part of it: without it these tests are skipped.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bench.replay.api import Answer
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2
from services.evidence.domain.model import Found, Query
from services.evidence.providers.registry import SOURCES
from tests.support.evidence_kit import query
from tests.support.replay import api_of, asking, covered, replayed

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "api-samples"

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="needs shared/api-samples beside the repository")


def sample(path: str) -> bytes:
    """A recorded body."""
    file = SAMPLES / path
    if not file.is_file():
        pytest.skip(f"{path} is not among the samples")
    return file.read_bytes()


async def ask(name: str, *bodies: bytes, status: int = 200, question: Query | None = None) -> list[Found]:
    """What the provider makes of a recorded answer, the last one for every further call."""
    source = next(source for source in SOURCES if source.name == name)
    async with replayed(api_of(name)) as server, asking(source, server.url) as provider:
        left = list(bodies)

        async def give(request: Any) -> Any:
            return Answer(status, left.pop(0) if len(left) > 1 else left[0]).response()

        server.answer = give
        return list(await provider.search(question or covered(provider)[0]))


async def fail(name: str, body: bytes, status: int = 200) -> PipelineError:
    """The error that the provider makes of a recorded one."""
    with pytest.raises(PipelineError) as caught:
        await ask(name, body, status=status)
    return caught.value


def day(year: int, month: int, number: int) -> datetime:
    return datetime(year, month, number, tzinfo=UTC)


async def test_wikipedia_reads_a_recorded_extract() -> None:
    """The text is the article's, word for word."""
    (article,) = await ask("wikipedia", sample("wikipedia/extracts_plaintext.json"))
    assert article.title == "Python (programming language)"
    assert article.text.startswith("Python is a high-level, general-purpose programming language.")
    assert "Guido van Rossum began working on Python in the late 1980s" in article.text
    assert article.url.endswith("/wiki/Python_%28programming_language%29")
    assert article.source_type == common_pb2.SOURCE_TYPE_REFERENCE


async def test_wikipedia_leaves_out_a_missing_page() -> None:
    """A page that does not exist is no source; warnings about parameters are no error."""
    assert await ask("wikipedia", sample("wikipedia/page_missing.json")) == []


async def test_wikidata_reads_recorded_items() -> None:
    """Items with a description become sources; disambiguation pages and items without one do not."""
    asked = query(common_pb2.CLAIM_KIND_AUDIENCE, terms=("attila the hun",))
    found = await ask("wikidata", sample("wikidata/wbsearchentities_attila.json"), question=asked)
    assert [(item.url, item.text) for item in found] == [
        ("https://www.wikidata.org/wiki/Q36724", "Attila the Hun: King of the Hunnic Empire."),
        ("https://www.wikidata.org/wiki/Q4818464", "Attila the Hun: Calypsonian."),
    ]


async def test_wikidata_takes_only_offers_for_competitors() -> None:
    """A king is no competitor: the second phrase is asked, and finds none either."""
    asked = query(common_pb2.CLAIM_KIND_COMPETITION, terms=("attila the hun", "food waste"))
    assert await ask("wikidata", sample("wikidata/wbsearchentities_attila.json"), question=asked) == []
    assert await ask("wikidata", sample("wikidata/wbsearchentities_empty.json"), question=asked) == []


async def test_openalex_rebuilds_a_recorded_abstract() -> None:
    """Words in their order, citations, authors, journal and day."""
    (work,) = await ask("openalex", sample("openalex/works_title_search.json"))
    assert work.title.startswith("Effect of native oxide layers on copper thin-film tensile properties")
    assert work.text.startswith("Metal-oxide layers are likely to be present on metallic nano-structures due to either")
    assert "exposure during use, or high temperature processing techniques such as annealing." in work.text
    assert work.url == "https://doi.org/10.1063/1.4938384"
    assert work.author.startswith("Michael Skarlinski, David J. Quesnel")
    assert work.published_at == day(2015, 12, 21)
    assert work.votes == 9
    assert "Journal of Applied Physics" in work.why


async def test_openalex_names_a_recorded_404() -> None:
    """Its HTML page is a failed call, not an empty answer."""
    error = await fail("openalex", sample("openalex/error_404_not_found.html"), 404)
    assert (error.reason_name, error.metadata["status"]) == ("UPSTREAM_FAILED", "404")


async def test_crossref_reads_recorded_works() -> None:
    """Title, abstract without markup, day and DOI; citations where there are some."""
    first, second = await ask("crossref", sample("crossref/works_query_rows2.json"))
    assert first.title == "Communicating Ecology"
    assert first.text.startswith("Communication is perhaps the most important, but least formally discussed, aspect")
    assert "<" not in first.text
    assert first.url == "https://doi.org/10.1093/obo/9780199830060-0238"
    assert (first.published_at, first.votes) == (day(2022, 7, 26), 1)
    assert (second.title, second.author) == ("Chemical Ecology", "André Kessler")
    assert (second.published_at, second.votes) == (day(2012, 5, 23), 0)


async def test_crossref_does_not_invent_dates() -> None:
    """`[[null]]` is no date and `[[2020]]` a year, not a day."""
    works = await ask("crossref", sample("crossref/works_cursor_page1.json"))
    assert [(work.title, work.year, work.published_at) for work in works] == [
        ("Widget Mania: Using a GUI Widget Framework", 0, None),
        ("Web Widget", 0, None),
        ("Adding Additional Widget Sizes", 2020, None),
        ("Adding a Widget Intent", 2020, None),
        ("widget, n.", 2023, day(2023, 3, 2)),
    ]
    assert works[2].author == "Stewart Lynch"


@pytest.mark.parametrize(
    ("file", "status", "code"),
    [
        ("error_400_rows_not_integer", 400, "integer-not-valid"),
        ("error_400_filter_not_available", 400, "filter-not-available"),
        ("error_404_cursor_invalid", 404, "cursor-invalid"),
    ],
)
async def test_crossref_names_a_recorded_fault(file: str, status: int, code: str) -> None:
    """The type of the fault is in the error."""
    error = await fail("crossref", sample(f"crossref/{file}.json"), status)
    assert (error.reason_name, error.metadata["status"], error.metadata["code"]) == (
        "UPSTREAM_FAILED",
        str(status),
        code,
    )


async def test_crossref_reads_a_recorded_empty_answer() -> None:
    """No items, no finds."""
    assert await ask("crossref", sample("crossref/works_empty.json")) == []


async def test_arxiv_reads_a_recorded_feed() -> None:
    """Five papers with their abstracts, authors and days."""
    papers = await ask("arxiv", sample("arxiv/query_testing_first10.atom"))
    assert len(papers) == 5
    first = papers[0]
    assert first.title == ("Testing Deep Learning Models: A First Comparative Study of Multiple Testing Techniques")
    assert first.text.startswith("Deep Learning (DL) has revolutionized the capabilities of vision-based systems")
    assert first.url == "https://arxiv.org/abs/2202.12139v1"
    assert first.published_at == datetime(2022, 2, 24, 15, 5, 19, tzinfo=UTC)
    assert all("\n" not in paper.text and "  " not in paper.text for paper in papers)


async def test_arxiv_names_the_first_authors_of_many() -> None:
    """Thirty-nine editors are three and "et al."."""
    (proceedings,) = await ask("arxiv", sample("arxiv/query_id_list_two.atom"))
    assert proceedings.author == "Kees A. Schouhamer Immink, Stan Baggen, Ferdaous Chaabane et al."
    assert '"Concepts in Information Theory and Communications" AEW10 was held in Boppard' in proceedings.text


async def test_arxiv_reads_a_recorded_empty_feed() -> None:
    """A feed without entries is no error."""
    assert await ask("arxiv", sample("arxiv/query_id_list_not_found.atom")) == []


async def test_semantic_scholar_reads_a_recorded_paper() -> None:
    """DOI, authors, day and citations; without an abstract the title is all there is to quote."""
    (work,) = await ask("semantic_scholar", sample("semantic_scholar/paper_search_match_full_fields.json"))
    assert work.title == work.text == "Augmenting large language models with chemistry tools"
    assert work.url == "https://doi.org/10.1038/s42256-024-00832-8"
    assert work.author == "Andrés M Bran, Sam Cox, Oliver Schilter et al."
    assert work.published_at == day(2023, 4, 11)
    assert work.votes == 488
    assert "no abstract" in work.why


async def test_semantic_scholar_finds_the_page_of_a_bare_record() -> None:
    """An id and a title lead to the paper's page."""
    works = await ask("semantic_scholar", sample("semantic_scholar/paper_search_title_only.json"))
    assert [work.title for work in works][-1] == "Neural Turing Machines"
    assert works[-1].url == "https://www.semanticscholar.org/paper/c1126fbffd6b8547a44c58b192b36b08b18299de"


async def test_semantic_scholar_leaves_out_a_record_without_a_title() -> None:
    """There is nothing to show of it."""
    assert await ask("semantic_scholar", sample("semantic_scholar/paper_search_openaccesspdf.json")) == []


async def test_semantic_scholar_takes_its_recorded_misses_for_empty() -> None:
    """An answer without `data` and the 404 of a title match mean that nothing was found."""
    assert await ask("semantic_scholar", sample("semantic_scholar/paper_search_empty.json")) == []
    assert await ask("semantic_scholar", sample("semantic_scholar/error_404_title_match.json"), status=404) == []


async def test_semantic_scholar_names_its_recorded_errors() -> None:
    """429 is a throttle, 400 and 404 are failures."""
    throttle = await fail("semantic_scholar", sample("semantic_scholar/error_429.json"), 429)
    assert (throttle.reason_name, throttle.retry_after) == ("UPSTREAM_RATE_LIMITED", 10.0)
    for file, status in (("error_400_fields", 400), ("error_404_paper", 404)):
        error = await fail("semantic_scholar", sample(f"semantic_scholar/{file}.json"), status)
        assert (error.reason_name, error.metadata["status"]) == ("UPSTREAM_FAILED", str(status))


async def test_worldbank_reads_recorded_rows() -> None:
    """Years without a value are passed over: the newest one with a value is the figure, and stands in the text."""
    (figures,) = await ask("worldbank", sample("worldbank/country_indicator.json"))
    assert figures.text == "Canada, Renewable electricity output (% of total electricity output): 67.02 in 2021."
    assert figures.figure is not None
    assert (figures.figure.value, figures.figure.unit, figures.figure.year) == (
        67.02,
        "% of total electricity output",
        2021,
    )
    assert (figures.year, figures.published_at) == (2021, None)


async def test_hackernews_reads_recorded_hits() -> None:
    """Every recorded page has the shape that the provider reads."""
    folder = SAMPLES / "hackernews_algolia"
    pages = [file for file in sorted(folder.glob("*.json")) if ".meta" not in file.name]
    read = [file for file in pages if isinstance(json.loads(file.read_bytes()).get("hits"), list)]
    assert read
    found = [source for file in read for source in await ask("hackernews", file.read_bytes())]
    assert found
    assert all(source.url.startswith("https://news.ycombinator.com/item?id=") for source in found)


def test_every_recorded_api_of_ours_is_replayed() -> None:
    """A folder of samples whose source is registered has a replayed API of the same name."""
    registered = {source.name for source in SOURCES}
    assert {folder.name for folder in SAMPLES.iterdir()} & registered
    for name in registered:
        assert api_of(name).name == name
