"""`report.html`: one page that a founder reads from top to bottom.

Self-contained: inline style, no script, no font, picture or request from outside, and a policy in the page that
forbids them. Every text is escaped by the template engine; addresses become links only where they are http(s).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from gateway.report import view, words
from pipeline.v1 import campaign_pb2, common_pb2, mvp_pb2, pipeline_pb2

_TEMPLATES = Path(__file__).parent / "template"


def render(
    report: pipeline_pb2.Report,
    artifacts: Sequence[common_pb2.Artifact] = (),
    pictures: Mapping[str, bytes] | None = None,
) -> str:
    """The page. `artifacts`: files of the phases, listed with links relative to the page; `pictures`: plots by path."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    claims = view.claims(report)
    return environment.get_template("report.html.j2").render(
        # The one text that is not escaped: our own style sheet.
        css=Markup((_TEMPLATES / "report.css").read_text(encoding="utf-8")),  # noqa: S704
        report=report,
        run=report.run,
        verdict=view.verdict(report),
        tiles=view.tiles(report),
        profile_rows=view.profile_rows(report.profile),
        claims=claims,
        shown=view.shown_numbers(claims),
        chain=view.chain(report),
        bars=view.bars(report),
        artifacts=sorted(artifacts, key=lambda artifact: artifact.path),
        paths={artifact.path for artifact in artifacts},
        words=words,
        plots=_plots(report.campaign_reading, pictures or {}),
        mvp_delivered=report.mvp.status == mvp_pb2.MVP_STATUS_DELIVERED,
    )


def _plots(reading: campaign_pb2.CampaignReading, pictures: Mapping[str, bytes]) -> list[tuple[str, str]]:
    """Plots as (description, data address): a picture, so that nothing in it can run."""
    names = {
        "posterior": "What the sign-up rate may be, after the counts",
        "sequential": "The rate and its always-valid interval, day by day",
        "days": "Visitors and sign-ups by day",
    }
    found = []
    for artifact in reading.artifacts:
        content = pictures.get(artifact.path, b"")
        if content and artifact.media_type == "image/svg+xml":
            stem = artifact.path.rsplit("/", 1)[-1].removesuffix(".svg")
            data = base64.b64encode(content).decode("ascii")
            found.append((names.get(stem, stem), f"data:image/svg+xml;base64,{data}"))
    return found


def _finalize(value: object) -> object:
    """Strip what hides or reorders text from every expression; markup of our own passes."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return words.plain(value)
    return value
