"""The report page: escaped, self-contained, and complete about what it knows and lacks."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from chassis.testing_phases import evidence_item, sample_result
from gateway.metrics import measure
from gateway.report import words
from gateway.report.build import build_report
from gateway.report.html import render
from gateway.results import Results
from gateway.verdict import combine
from pipeline.v1 import common_pb2, pipeline_pb2

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>\'"`${7919*2}{{7919*2}}'
V, E, P, C, M = (
    common_pb2.PHASE_VALIDATION,
    common_pb2.PHASE_EVIDENCE,
    common_pb2.PHASE_PITCH,
    common_pb2.PHASE_CAMPAIGN,
    common_pb2.PHASE_MVP,
)


class Page(HTMLParser):
    """Tags, attributes and text of a page; unclosed tags fail."""

    VOID = frozenset({"meta", "br", "rect", "img", "input", "link", "hr"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        assert self._open == [], f"not closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self._open
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def values(self, name: str) -> list[str]:
        return [value for _, attribute, value in self.attributes if attribute == name]


def page_of(results: Results, **run_fields: Any) -> tuple[Page, str]:
    run = pipeline_pb2.Run(name="runs/01", state=pipeline_pb2.RUN_STATE_SUCCEEDED, trace_id="ab" * 16, **run_fields)
    run.created_at.FromSeconds(1_795_000_000)
    run.started_at.FromSeconds(1_795_000_000)
    run.ended_at.FromSeconds(1_795_000_010)
    for number, phase in enumerate((V, E, P)):
        status = run.phases.add(phase=phase, state=pipeline_pb2.PHASE_STATE_SUCCEEDED)
        status.started_at.FromSeconds(1_795_000_000 + number)
        status.ended_at.FromSeconds(1_795_000_003 + number)
    run.verdict.CopyFrom(combine(results.validation, results.evidence))
    report = build_report(run, results, [], measure(run, results, 5, 1_795_000_010_000_000))
    artifacts = list(results.pitch.artifacts) if results.pitch is not None else []
    html = render(report, artifacts)
    return Page(html), html


def whole() -> Results:
    return Results(*(sample_result(phase) for phase in (V, E, P, C, M)))


def poison(message: Any, depth: int = 0) -> None:
    """Put hostile text into every string field of a message."""
    for field in message.DESCRIPTOR.fields:
        if field.is_repeated:
            if field.message_type and field.message_type.GetOptions().map_entry:
                continue
            values = getattr(message, field.name)
            if field.type == field.TYPE_STRING:
                values.append(HOSTILE)
            elif field.type == field.TYPE_MESSAGE and depth < 4:
                for value in values or [values.add()]:
                    poison(value, depth + 1)
        elif field.type == field.TYPE_STRING:
            setattr(message, field.name, HOSTILE)
        elif field.type == field.TYPE_MESSAGE and depth < 4 and not field.message_type.full_name.startswith("google"):
            poison(getattr(message, field.name), depth + 1)


def test_hostile_text_everywhere_stays_text() -> None:
    """With hostile text in every field of every result, the page has no script, handler or foreign address."""
    results = whole()
    for result in results.by_phase().values():
        poison(result)
    page, html = page_of(results, spec=pipeline_pb2.RunSpec(idea=common_pb2.Idea(text=HOSTILE, name=HOSTILE)))
    assert not {"script", "img", "iframe", "object", "form", "base", "link"} & set(page.tags)
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert "15838" not in html, "the text was evaluated"
    assert HOSTILE in page.text


def test_page_asks_for_nothing_outside() -> None:
    """Only links leave the page; no picture, font, style or script is fetched, and a policy forbids it."""
    page, html = page_of(whole())
    assert page.values("src") == []
    assert "url(" not in html
    assert "@import" not in html
    assert any("default-src 'none'" in value for value in page.values("content"))


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "java\nscript:alert(1)", "data:,x",
        "//evil.example", "http://user@evil.example/", "https://", "http://[", "file:///etc/passwd", "https://a b",
        "https://example.com/\u202egnp.exe",
    ],
)  # fmt: skip
def test_only_harmless_addresses_become_links(url: str) -> None:
    """An address that is not plain http(s) is shown as text."""
    results = whole()
    assert results.evidence is not None
    results.evidence.items.append(evidence_item(77, "problem"))
    results.evidence.items[-1].url = url
    page, _ = page_of(results)
    assert words.safe_url(url) == ""
    assert url not in page.values("href")
    assert all(re.match(r"^(#|https://example\.com/\d+$|deck\.)", href) for href in page.values("href"))


def test_page_tells_the_whole_story() -> None:
    """Verdict, reasons, claims, quotes, chain, checks, budget and files all stand on the page."""
    page, _ = page_of(whole(), spec=pipeline_pb2.RunSpec(idea=common_pb2.Idea(text="A made-up idea for a test")))
    for words_ in (
        "Go", "A made-up idea for a test", "The claim on problem.", "Made-up quote number 1.", "verified", "boots",
        "“Made up”", "1 Purpose", "Nothing found speaks against it", "deck.pptx", "Measured quality",
    ):  # fmt: skip
        assert words_ in page.text, words_


def test_contradictions_stand_beside_support() -> None:
    """A source against a claim is shown under Against, as prominently as one for it."""
    results = whole()
    assert results.evidence is not None
    results.evidence.items.append(evidence_item(50, "problem", common_pb2.STANCE_CONTRADICTS))
    page, _ = page_of(results)
    assert "Against (1)" in page.text
    assert "Made-up quote number 50." in page.text


def test_empty_run_still_has_a_page() -> None:
    """A run without any result renders, and says that there is no verdict to stand on."""
    page, _ = page_of(Results())
    assert "Inconclusive" in page.text


def test_regulated_fields_come_before_everything_but_the_verdict() -> None:
    """A regulated field is named right below the verdict, with what to clear."""
    results = whole()
    assert results.validation is not None
    results.validation.profile.regulated_fields.add(
        field="health", basis="patients", advice="Ask a lawyer about health data."
    )
    page, _ = page_of(results)
    assert page.text.index("regulated fields") < page.text.index("What to do next")
    report_steps = page.text[page.text.index("What to do next") :]
    assert "Ask a lawyer about health data." in report_steps[:400]


def test_numbers_read_well() -> None:
    """Money, shares and durations are written as people read them."""
    assert [words.money(v) for v in (25_000_000, 0, 1_200, 1_234_567_890_000)] == [
        "$25.00", "$0.00", "$0.0012", "$1,234,567.89",
    ]  # fmt: skip
    assert [words.percent(v) for v in (0.0805, 0.02, 0.5, 1.0)] == ["8.05%", "2%", "50%", "100%"]
    assert words.plural(1, "source") == "1 source"
    assert words.plain("safe\u202eevil\x00") == "safeevil"


def test_facts_that_flip_the_verdict_are_shown() -> None:
    """Each flip stands on the page with the recommendation that it would lead to."""
    results = whole()
    run_verdict = combine(results.validation, results.evidence)
    assert run_verdict.flips
    text = " ".join(page_of(results)[0].text.split())
    for flip in run_verdict.flips:
        assert f"{flip.fact} Then: {words.recommendation(flip.recommendation)}" in text
