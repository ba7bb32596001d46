"""A whole run with a real text model, and one whose model is stopped in mid-run.

    python -m bench.evaluation.whole_run --server-python ../model-venv/bin/python

The pipeline runs embedded and offline; the model (see `bench.evaluation.real_model`) is on this machine, so an offline
run may ask it. The first run goes to its end with it. In the second one the model's server is killed as soon as it has
answered one question: the run must succeed all the same, and say so. What the founder is told is read from report.json
and report.html. Exits 1 where something does not hold.
"""

from __future__ import annotations

import argparse
import asyncio
import html
import json
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.trace import StatusCode

from bench.evaluation.harness import attributes, spans, spec
from bench.evaluation.real_model import IDEA, MODEL, model_server
from chassis.models.use import SUBJECT
from chassis.telemetry import (
    ATTR_COST_MICROS,
    ATTR_ERROR_REASON,
    ATTR_GEN_AI_INPUT_TOKENS,
    ATTR_GEN_AI_OUTPUT_TOKENS,
    ATTR_REPAIRED,
    SPAN_CHAT,
)
from pipeline.client import GatewayClient
from pipeline.embedded import EmbeddedOptions, EmbeddedPipeline
from pipeline.v1 import common_pb2
from services.evidence import model_stance, planning

NAME = f"openai:{MODEL}"
STEPS = (planning.STEP, model_stance.STEP)
PHASES = ("validation", "evidence", "pitch")
# A small model on one or two cores answers in half a minute, one question after another: the longest that may be set.
SETTINGS = {"text_model_timeout_seconds": 600.0, "evidence_seconds": 1_800.0}
# The founder's files: the one source of an offline run whose text a model may judge.
NOTES = {
    "interviews.md": """# Interviews about food at home

Eleven of the twenty households that I visited throw food away every week because they forget what they have.

Two families never waste food: they plan each meal and buy only what they eat.

Seven of the twenty households would pay three dollars a month for an app that tracks expiry dates.

I found three apps that track expiry dates and suggest recipes; no household that I interviewed uses one of them.
""",
    "survey.md": """# Answers to my survey

Households throw food away mostly because they forget what lies at the back of the fridge, say 64 of 110 answers.

31 of 110 would pay for an app that tracks expiry dates; 58 would not pay, because a note on the fridge door is free.

Nine people named an app for food waste that they had tried. All of them stopped, as typing in items took too long.
""",
    "shop.md": """# Talk with a shop owner

Households with children throw away more food than students, who shop on the day and have no freezer.

The owner would pay for an app that tells households about expiry dates, if it brought them back to the shop.

No app for food waste is used by the shop's customers as far as the owner knows.
""",
}


class FirstAnswer(SpanProcessor):
    """Tells when the model has answered one question in full."""

    def __init__(self) -> None:
        self.given = asyncio.Event()

    def on_end(self, span: ReadableSpan) -> None:
        """Called in the loop that serves the evidence, where the question's span ends."""
        if span.name.startswith(SPAN_CHAT) and span.status.status_code is not StatusCode.ERROR:
            self.given.set()


@dataclass
class Taken:
    """A run that has ended: its files as the founder gets them, and the model's spans."""

    seconds: float
    report: dict[str, Any]
    page: str
    questions: list[dict[str, Any]] = field(default_factory=list)

    def told(self, kind: str) -> list[str]:
        """What the report says about the model, "notices" or "missing"."""
        entries = self.report["evidence"]["notices"] if kind == "notices" else self.report["missing"]
        return [entry.get("message") or entry["reason"] for entry in entries if entry["subject"] == SUBJECT]

    def methods(self) -> Counter[str]:
        """Items by who judged their stance."""
        return Counter(item["stance_method"] for item in self.report["evidence"]["items"])

    def shows(self, text: str) -> bool:
        """Whether the page says so to a reader."""
        return _plain(text) in _plain(html.unescape(re.sub("<[^>]*>", " ", self.page)))


def _plain(text: str) -> str:
    return " ".join(text.split())


async def take(settings: Mapping[str, Any], doomed: subprocess.Popen[bytes] | None = None) -> Taken:
    """One idea to its end. `doomed`: the model's server, killed once it has answered."""
    with tempfile.TemporaryDirectory() as folder:
        notes = [Path(folder, name) for name in NOTES]
        for path in notes:
            path.write_text(NOTES[path.name])
        options = EmbeddedOptions(state_dir=Path(folder), offline=True, phases=PHASES, settings=settings)
        async with EmbeddedPipeline(options) as embedded, GatewayClient(embedded.target) as client:
            first = FirstAnswer()
            embedded.servers["evidence"].telemetry.provider.add_span_processor(first)
            begun = time.perf_counter()
            skipped = (common_pb2.PHASE_CAMPAIGN, common_pb2.PHASE_MVP)
            run = await client.create_run(spec(IDEA, skip=skipped, documents=notes))
            if doomed is not None:
                await first.given.wait()
                doomed.kill()
                await asyncio.to_thread(doomed.wait)
                print(f"  the model's server was killed {time.perf_counter() - begun:.0f} s into the run")
            async for _ in client.watch_run(run.name):
                pass
            seconds = time.perf_counter() - begun
            files = {
                name: await client.download_artifact(f"{run.name}/artifacts/{name}")
                for name in ("report.json", "report.html", "trace.json")
            }
    questions = [
        attributes(span) | {"seconds": (int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"])) / 1e9}
        for span in spans(files["trace.json"])
        if span["name"].startswith(SPAN_CHAT)
    ]
    return Taken(seconds, json.loads(files["report.json"]), files["report.html"].decode(), questions)


def tell(taken: Taken) -> None:
    """Print what the model did and what the founder is told about it."""
    state = taken.report["run"]["state"].removeprefix("RUN_STATE_").lower()
    print(f"  {state} after {taken.seconds:.0f} s")
    for question in taken.questions:
        how = question.get(ATTR_ERROR_REASON) or ("answered after a repair" if question[ATTR_REPAIRED] else "answered")
        tokens = f"{question.get(ATTR_GEN_AI_INPUT_TOKENS, 0)} tokens in, {question.get(ATTR_GEN_AI_OUTPUT_TOKENS, 0)}"
        print(
            f"  question: {how}, {tokens} out, {question['seconds']:.1f} s, {question.get(ATTR_COST_MICROS, 0)} micros"
        )
    for method, count in sorted(taken.methods().items()):
        print(f"  {count} items judged by {method}")
    for item in taken.report["evidence"]["items"]:
        if item["stance_method"] == NAME:
            print(f"    {item['stance'].removeprefix('STANCE_').lower()}: {item['quote'][:90]}")
    for kind in ("notices", "missing"):
        for text in taken.told(kind):
            print(f"  {kind}: {text}")


def hold(claim: str, holds: bool) -> bool:
    """Print whether a claim holds."""
    print(f"  [{'holds' if holds else 'DOES NOT HOLD'}] {claim}")
    return holds


def with_the_model(taken: Taken) -> bool:
    """What must hold of a run that the model took part in."""
    notices = taken.told("notices")
    return all(
        [
            hold("the run succeeded", succeeded(taken)),
            hold("every question was answered", not any(ATTR_ERROR_REASON in q for q in taken.questions)),
            hold(
                "report.json says that it took part in the search and in judging passages",
                len(notices) == 1 and all(word in notices[0] for word in (f"{NAME} took part", *STEPS)),
            ),
            hold("report.html says so, too", bool(notices) and all(map(taken.shows, notices))),
            hold("nothing about it is missing", not taken.told("missing")),
        ]
    )


def without_it(taken: Taken) -> bool:
    """What must hold of a run whose model died."""
    missing = taken.told("missing")
    answered = [ATTR_ERROR_REASON not in question for question in taken.questions]
    return all(
        [
            hold("the run succeeded", succeeded(taken)),
            hold("it had answered when it was stopped", any(answered)),
            hold("a question failed", not all(answered)),
            hold("its twins judged the evidence", taken.methods().total() > 0 and NAME not in taken.methods()),
            hold("report.json says so", len(missing) == 1 and "Words and rules did its work" in missing[0]),
            hold("report.html says so, too", bool(missing) and all(map(taken.shows, missing))),
        ]
    )


def succeeded(taken: Taken) -> bool:
    """Whether the run came to its end with every phase that it had."""
    return str(taken.report["run"]["state"]) == "RUN_STATE_SUCCEEDED"


async def take_both(python: str, threads: int) -> tuple[Taken, Taken]:
    """A run with the model, and one whose model is stopped."""
    with model_server(python, threads) as (url, process):
        settings = {"text_model": NAME, "text_model_url": url, **SETTINGS}
        print("a run with the model:")
        whole = await take(settings)
        tell(whole)
        print("\na run whose model is stopped after its first answer:")
        broken = await take(settings, process)
        tell(broken)
    return whole, broken


def main() -> int:
    """Print both runs; 1 where something does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server-python", default=sys.executable, help="interpreter that has llama_cpp.server")
    parser.add_argument("--threads", type=int, default=1, help="threads of the model's server")
    parser.add_argument("--keep", type=Path, help="folder to put both reports into")
    given = parser.parse_args()
    whole, broken = asyncio.run(take_both(given.server_python, given.threads))
    if given.keep is not None:
        given.keep.mkdir(parents=True, exist_ok=True)
        for name, taken in (("with-model", whole), ("model-stopped", broken)):
            Path(given.keep, f"{name}.json").write_text(json.dumps(taken.report, indent=2))
            Path(given.keep, f"{name}.html").write_text(taken.page)
    print("\nwith the model:")
    good = with_the_model(whole)
    print("without it:")
    return 0 if without_it(broken) and good else 1


if __name__ == "__main__":
    sys.exit(main())
