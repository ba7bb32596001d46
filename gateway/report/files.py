"""The gateway's own files of the output folder: report.html, report.json, evidence.json."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from chassis.artifacts import make_artifact
from gateway.report.html import render
from gateway.runs.artifacts import RESERVED
from pipeline.v1 import common_pb2, pipeline_pb2


def to_json(message: Message) -> bytes:
    """Protobuf's JSON mapping with the names of the contract, readable for people too."""
    value = MessageToDict(message, preserving_proto_field_name=True)
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def report_files(
    report: pipeline_pb2.Report,
    artifacts: Sequence[common_pb2.Artifact],
    pictures: Mapping[str, bytes] | None = None,
) -> list[common_pb2.Artifact]:
    """Files with their content. `artifacts`: what the phases made, for the page's list of files; `pictures`: plots of
    the campaign's reading by path, shown in the page.
    """
    made = [artifact for artifact in artifacts if artifact.path not in RESERVED]
    files = [
        make_artifact("report.html", render(report, made, pictures or {}).encode(), "text/html; charset=utf-8"),
        make_artifact("report.json", to_json(report), "application/json"),
    ]
    if report.HasField("evidence"):
        files.append(make_artifact("evidence.json", to_json(report.evidence), "application/json"))
    return files
