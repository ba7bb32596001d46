"""Reading foreign records: words for a search, dates, counts, abstracts, and what an error may say."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chassis.http_answer import HttpResponse
from chassis.testing import ManualClock
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2
from services.evidence.domain.model import Found, IdeaFacts
from services.evidence.providers import arxiv, crossref, openalex, questions, reading, refusals, scholarly
from services.evidence.providers.base import Access
from services.evidence.providers.registry import SOURCES
from services.evidence.providers.sec import SOURCE as SEC
from services.evidence.providers.worldbank_indicators import INDICATORS, indicator_for
from tests.support.evidence_kit import query

ODD = [None, True, 7, -1, 1.5, "text", [], {}, [None], {"a": None}, float("inf"), 10**40]


def response(body: bytes = b"", status: int = 200, **headers: str) -> HttpResponse:
    """An answer with these headers (write - as _)."""
    return HttpResponse(status, "http://x", {name.replace("_", "-"): value for name, value in headers.items()}, body)


# ------------------------------------------------------------------------------------- words


def test_search_words_are_letters_and_digits() -> None:
    """No term reaches a search engine as an operator, a quote or a field."""
    asked = query(terms=('-food "waste" OR title:(x)', "a*b~2 && c", "no-shows"), idea=IdeaFacts(""))
    words = questions.plain_words(asked, 20)
    assert words[:2] == ["food", "waste"]
    assert all(word.replace("'", "").isalnum() for word in words)
    assert all(phrase.replace(" ", "").isalnum() for phrase in questions.phrases(asked, 5))


def test_search_words_are_the_strongest_and_each_once() -> None:
    """Words of the terms come before keywords, forms of a word count once, generic ones not at all."""
    asked = query(terms=("wasting food", "app"), idea=IdeaFacts("", keywords=("food waste", "households")))
    assert questions.plain_words(asked, 3) == ["wasting", "food", "households"]


def test_a_phrase_without_a_telling_word_is_not_asked() -> None:
    """ "mobile app" says nothing about a field."""
    asked = query(terms=("mobile app", "expiry dates"), idea=IdeaFacts(""))
    assert questions.phrases(asked, 2) == ["expiry dates"]


def test_a_request_key_tells_requests_apart() -> None:
    """Address, parameter and value each make another key; their order does not."""
    key = questions.request_key("http://a", {"q": "x", "n": 1})
    assert key == questions.request_key("http://a", {"n": 1, "q": "x"})
    others = [("http://b", {"q": "x", "n": 1}), ("http://a", {"q": "y", "n": 1}), ("http://a", {"q": "x", "n": 2})]
    assert len({key, *(questions.request_key(url, params) for url, params in others)}) == 4


# ------------------------------------------------------------------------------------- fields


@pytest.mark.parametrize("value", ODD)
def test_a_field_of_the_wrong_type_counts_as_absent(value: object) -> None:
    """No reader raises, whatever the JSON holds."""
    assert isinstance(reading.record(value), dict)
    assert all(isinstance(item, dict) for item in reading.records(value, 5))
    assert isinstance(reading.string({"a": value}, "a"), str)
    assert 0 <= reading.votes(value) <= 2_000
    assert reading.year(value) in (0, *range(1500, 2101))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2022-02-24T15:05:19Z", datetime(2022, 2, 24, 15, 5, 19, tzinfo=UTC)),
        ("2015-12-21", datetime(2015, 12, 21, tzinfo=UTC)),
        ("2015", None),
        ("0001-01-01", None),
        ("2022-02-31", None),
        ("yesterday", None),
        ("2022-01-01" + "0" * 50, None),
    ],
)
def test_a_moment_is_a_day_with_a_zone_or_none(text: str, moment: datetime | None) -> None:
    """A year alone is no day, and no day is made up."""
    assert reading.moment(text) == moment


def test_three_authors_are_named() -> None:
    """Blank names do not count; more than three are "et al."."""
    assert reading.authors(["A. One", " ", "B. Two"]) == "A. One, B. Two"
    assert reading.authors(["A", "B", "C", "D"]) == "A, B, C et al."


def test_a_wait_counts_from_the_answers_own_date() -> None:
    """A server whose clock is an hour off still asks for the 30 s that it means."""
    late = response(date="Wed, 01 Jan 2020 10:00:00 GMT", retry_after="Wed, 01 Jan 2020 10:00:30 GMT")
    assert refusals.wait_of(late, ManualClock()) == 30.0
    assert refusals.wait_of(response(retry_after="12"), ManualClock()) == 12.0
    assert refusals.wait_of(response(date="no date", retry_after="12"), ManualClock()) == 12.0
    assert refusals.wait_of(response(), ManualClock()) is None


def test_an_error_repeats_no_sentence_of_the_upstream() -> None:
    """Only a short code passes: a sentence may hold a key."""
    assert refusals.refused("x", response(status=400), "bad key SECRET").metadata.get("code") is None
    assert "SECRET" not in str(refusals.refused("x", response(status=400), "bad key SECRET"))
    assert refusals.refused("x", response(status=400), "integer-not-valid").metadata["code"] == "integer-not-valid"


# ------------------------------------------------------------------------------------- papers


def test_an_inverted_abstract_is_put_in_order() -> None:
    """Each word stands at each of its places."""
    index = {"to": [1, 3], "be": [2], "waste": [0], "less": [4]}
    assert openalex.abstract_of(index) == "waste to be to less"


@pytest.mark.parametrize(
    "index", [None, [], "text", {"a": None}, {"a": [-1]}, {"a": ["0"]}, {"a": [True]}, {"a": [10**9]}, {"a": {}}]
)
def test_a_broken_index_has_no_abstract(index: object) -> None:
    """Places that are no small numbers are left out, so that no size is allocated for them."""
    assert openalex.abstract_of(index) == ""


def test_jats_becomes_paragraphs() -> None:
    """Titles stand apart, sections follow each other, a formula appears once, entities are read."""
    xml = (
        "<jats:sec><jats:title>Methods</jats:title><jats:p>We asked 40 households &amp; shops.</jats:p></jats:sec>"
        "<jats:sec><jats:title>Results</jats:title><jats:p>Waste fell by "
        "<jats:inline-formula><jats:alternatives><jats:tex-math>\\begin{x}30\\end{x}</jats:tex-math>"
        "<mml:math><mml:mn>30</mml:mn></mml:math></jats:alternatives></jats:inline-formula> percent "
        "(<jats:italic>p</jats:italic> &lt; 0.05).</jats:p></jats:sec>"
    )
    assert crossref.jats_to_text(xml) == (
        "Methods\n\nWe asked 40 households & shops.\n\nResults\n\nWaste fell by 30 percent (p < 0.05)."
    )


def test_jats_without_a_prefix_or_end_is_read_as_far_as_it_goes() -> None:
    """Publishers send both."""
    assert crossref.jats_to_text("<p>One <b>two") == "One two"
    assert crossref.jats_to_text("no markup") == "no markup"


def test_comparisons_in_an_abstract_survive() -> None:
    """What looks like a tag but is none stays in the quote."""
    assert scholarly.plain("for n<k and p<.05, &amp; more") == "for n<k and p<.05, & more"
    assert scholarly.plain("CO<sub>2</sub> fell") == "CO2 fell"


def paper(**fields: object) -> Found | None:
    values: dict[str, object] = {
        "url": "https://doi.org/10.1/x",
        "title": "T",
        "abstract": "",
        "author": "",
        "published_at": None,
    }
    return scholarly.paper("x", **{**values, **fields})  # type: ignore[arg-type]


def test_an_abstract_begins_with_its_first_sentence() -> None:
    """The heading "Abstract" is not part of it, a word that begins like it is."""
    texts = [
        found.text for a in ("Abstract\n\nFood.", "Abstract: Food.", "Abstraction.") if (found := paper(abstract=a))
    ]
    assert texts == ["Food.", "Food.", "Abstraction."]


def test_a_paper_without_an_abstract_is_its_title_and_says_so() -> None:
    """It counts for less than one with an abstract, a preprint for less than a reviewed paper."""
    bare, full, preprint = paper(), paper(abstract="Food."), paper(abstract="Food.", reviewed=False)
    assert bare is not None
    assert full is not None
    assert preprint is not None
    assert bare.text == "T"
    assert "no abstract" in bare.why
    assert bare.confidence < preprint.confidence < full.confidence
    assert "not peer-reviewed" in preprint.why


def test_hidden_characters_do_not_reach_the_text() -> None:
    """Zero-width and tag characters are left out of abstracts as of pages."""
    found = paper(abstract="Fo\u200bod is wasted.\U000e0041", title="T\u202ex")
    assert found is not None
    assert (found.text, found.title) == ("Food is wasted.", "Tx")


@pytest.mark.parametrize(
    ("doi", "url"),
    [
        ("10.1063/1.4938384", "https://doi.org/10.1063/1.4938384"),
        ("https://doi.org/10.1063/1.4938384", "https://doi.org/10.1063/1.4938384"),
        ("10.1002/(SICI)1097(19)1:2<3::AID>4", "https://doi.org/10.1002/(SICI)1097(19)1:2%3C3::AID%3E4"),
        ("10.1234/a?b#c", "https://doi.org/10.1234/a%3Fb%23c"),
        ("https://evil.example/", ""),
        ("javascript:alert(1)", ""),
    ],
)
def test_a_doi_leads_to_doi_org_only(doi: str, url: str) -> None:
    """Whatever a record names as its DOI."""
    assert scholarly.doi_url(doi) == url


# ------------------------------------------------------------------------------------- Atom


def feed(entries: str, head: str = "") -> HttpResponse:
    return response(f'{head}<feed xmlns="http://www.w3.org/2005/Atom">{entries}</feed>'.encode())


def entry(
    paper_id: str = "http://arxiv.org/abs/2202.12139v1", summary: str = "Food &amp; waste.", title: str = "T"
) -> str:
    return (
        f"<entry><id>{paper_id}</id><title>{title}</title><summary>{summary}</summary>"
        "<published>2022-02-24T15:05:19Z</published><author><name>A. Mbeki</name></author></entry>"
    )


def test_an_entry_is_single_spaced_and_unescaped() -> None:
    """Lines that the API wraps in mid-sentence are joined."""
    (found,) = arxiv.papers(feed(entry(summary="Food\n  &amp; waste\n &lt; 5.", title="Two\n  lines")))
    assert (found.title, found.text) == ("Two lines", "Food & waste < 5.")


@pytest.mark.parametrize("paper_id", ["http://arxiv.org/abs/math/0510097v1", "https://export.arxiv.org/abs/1202.0819"])
def test_old_and_new_ids_lead_to_arxiv(paper_id: str) -> None:
    """By https, whatever the feed writes."""
    (found,) = arxiv.papers(feed(entry(paper_id)))
    assert found.url == "https://arxiv.org/abs/" + paper_id.partition("/abs/")[2]


def test_one_broken_entry_is_left_out() -> None:
    """One without an id, one with a foreign id, one without a title; the sound one stays."""
    broken = "<entry/>" + entry("https://evil.example/abs/2202.12139") + entry(title="")
    assert [found.title for found in arxiv.papers(feed(broken + entry()))] == ["T"]


def test_an_error_entry_is_no_paper() -> None:
    """Though it comes with HTTP 200 and looks like one."""
    with pytest.raises(PipelineError) as caught:
        arxiv.papers(feed(entry("http://arxiv.org/api/errors#incorrect_id_format", title="Error")))
    assert caught.value.metadata == {
        "upstream": "arxiv",
        "cause": "refused",
        "status": "200",
        "code": "incorrect_id_format",
    }


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE feed [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE feed [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE feed SYSTEM "http://127.0.0.1:9/evil.dtd">',
    ],
)
def test_a_feed_with_a_document_type_is_refused(head: str) -> None:
    """No entity unfolds, no file is read, no address is fetched."""
    with pytest.raises(PipelineError) as caught:
        arxiv.papers(feed(entry(summary="Food."), head))
    assert caught.value.metadata["cause"] == "malformed"


# ------------------------------------------------------------------------------------- single upstreams


def test_sec_is_not_asked_without_a_contact() -> None:
    """It would answer 403."""
    assert SEC.lacks(Access("http://x")) == "PIPELINE_CONTACT is empty"
    assert SEC.lacks(Access("http://x", contact="founder@example.org")) == ""


def test_only_sec_needs_more_than_its_address() -> None:
    """The other sources of this group work without a key or a contact."""
    keyless = ("wikipedia", "wikidata", "openalex", "crossref", "arxiv", "semantic_scholar", "worldbank")
    assert all(source.lacks(Access("http://x")) == "" for source in SOURCES if source.name in keyless)


def test_an_indicator_is_asked_for_where_the_claim_has_its_words() -> None:
    """A tutor leads to schools, a clinic to health; each row names its reason."""
    tutor = query(common_pb2.CLAIM_KIND_MARKET_SIZE, terms=("online tutoring",), idea=IdeaFacts("x"))
    clinic = query(common_pb2.CLAIM_KIND_AUDIENCE, terms=("clinics",), idea=IdeaFacts("x"))
    chosen = [indicator_for(asked) for asked in (tutor, clinic)]
    assert [row.id for row in chosen if row is not None] == ["SE.XPD.TOTL.GD.ZS", "SH.MED.PHYS.ZS"]


def test_one_word_of_the_sentence_is_no_field() -> None:
    """A bank named among the customers does not make an idea one about credit."""
    idea = IdeaFacts("Post-quantum encryption for telecoms, defence and banking")
    asked = query(common_pb2.CLAIM_KIND_MARKET_SIZE, terms=("post-quantum encryption",), idea=idea)
    assert indicator_for(asked) is None


def test_indicators_are_written_once() -> None:
    """Each id stands in one row, has words, and completes its sentence."""
    assert len({row.id for row in INDICATORS}) == len(INDICATORS)
    assert all(row.words and all(row.words) and row.why.startswith("the idea is") for row in INDICATORS)
    assert all(common_pb2.CLAIM_KIND_COMPETITION not in row.kinds for row in INDICATORS)
