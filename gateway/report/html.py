"""`report.html`: one page that a founder reads from top to bottom.

Self-contained: inline style, no script, no font, picture or request from outside, and a policy in the page that
forbids them. Every text is escaped by the template engine; addresses become links only where they are http(s).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from gateway.report import view, words
from pipeline.v1 import common_pb2, mvp_pb2, pipeline_pb2

_TEMPLATES = Path(__file__).parent / "template"


def render(report: pipeline_pb2.Report, artifacts: Sequence[common_pb2.Artifact] = ()) -> str:
    """The page. `artifacts`: files of the phases, listed with links relative to the page."""
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
        mvp_delivered=report.mvp.status == mvp_pb2.MVP_STATUS_DELIVERED,
    )


def _finalize(value: object) -> object:
    """Strip what hides or reorders text from every expression; markup of our own passes."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return words.plain(value)
    return value
