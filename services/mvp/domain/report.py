"""The phase's result: artifacts with their digests, and `mvp-report.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Final

from google.protobuf.json_format import MessageToDict

from chassis.artifacts import make_artifact
from pipeline.v1 import common_pb2, mvp_pb2
from services.mvp.domain.render import CONTACT
from services.mvp.domain.spec import Plan

REPORT: Final = "mvp-report.json"
FOLDER: Final = "mvp"

_MEDIA_TYPES: Final = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".md": "text/markdown",
    ".py": "text/x-python",
    ".sql": "application/sql",
    ".svg": "image/svg+xml",
    ".toml": "application/toml",
    ".webmanifest": "application/manifest+json",
    ".yml": "application/yaml",
}


def artifact(path: str, content: bytes) -> common_pb2.Artifact:
    """A file with its media type, size and digest."""
    media_type = _MEDIA_TYPES.get(PurePosixPath(path).suffix, "text/plain")
    return make_artifact(path, content, media_type, common_pb2.PHASE_MVP)


def missing(plan: Plan) -> list[common_pb2.Missing]:
    """What the project lacks: features without a template, what only the founder can supply, unsent messages."""
    found = [
        common_pb2.Missing(
            subject=f"feature: {feature.title}",
            phase=common_pb2.PHASE_MVP,
            kind=common_pb2.MISSING_KIND_NO_COVERAGE,
            reason="No template builds this feature yet, so that the project does not contain it.",
            next_step=f"Build “{feature.title}” by hand in app/rules and app/insights, beside what is there.",
        )
        for feature in plan.unbuilt
    ]
    if plan.spec.type == common_pb2.MVP_TYPE_LANDING_PAGE:
        found.append(
            common_pb2.Missing(
                subject="contact address",
                phase=common_pb2.PHASE_MVP,
                kind=common_pb2.MISSING_KIND_FOUNDER_INPUT,
                reason=f"The page's contact address {CONTACT} is a placeholder.",
                next_step="Replace it in site/index.html before the page goes public.",
            )
        )
    if any(behaviour.kind == "remind" for behaviour in plan.behaviours):
        found.append(
            common_pb2.Missing(
                subject="message delivery",
                phase=common_pb2.PHASE_MVP,
                kind=common_pb2.MISSING_KIND_NOT_CONFIGURED,
                reason="Reminders are queued in an outbox table; no SMS or e-mail provider is connected.",
                next_step="Connect a provider that sends queued reminders and marks them delivered.",
            )
        )
    return found


def artifacts(
    files: Mapping[str, bytes], result: mvp_pb2.MvpResult, figures: Mapping[str, float]
) -> list[common_pb2.Artifact]:
    """The project's files below mvp/ and the report of `result`, which has everything but its artifacts."""
    made = [artifact(f"{FOLDER}/{path}", content) for path, content in files.items()]
    return [*made, artifact(REPORT, report_json(result, sorted(files), figures))]


def report_json(result: mvp_pb2.MvpResult, files: Sequence[str], figures: Mapping[str, float]) -> bytes:
    """Specification, checks with their figures, isolation, log: what a reader needs to believe the status."""
    body: dict[str, Any] = {
        "status": mvp_pb2.MvpStatus.Name(result.status).removeprefix("MVP_STATUS_"),
        "spec": MessageToDict(result.spec, preserving_proto_field_name=True),
        "checks": [
            {
                "name": check.name,
                "status": mvp_pb2.CheckStatus.Name(check.status).removeprefix("CHECK_STATUS_"),
                "seconds": round(check.duration.ToTimedelta().total_seconds(), 3),
                "detail": check.detail,
                "measures": {key: round(check.measures[key], 3) for key in sorted(check.measures)},
            }
            for check in result.checks
        ],
        "figures": {key: round(value, 3) for key, value in figures.items()},
        "isolation": result.isolation,
        "files": list(files),
        "missing": [MessageToDict(one, preserving_proto_field_name=True) for one in result.missing],
        "log_tail": result.log_tail,
    }
    return (json.dumps(body, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "replace")
