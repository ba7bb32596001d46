"""Spans in OTLP's JSON encoding: camelCase, ids in hex, 64-bit integers as strings, enums as numbers.

Protobuf's own JSON would write ids in base64, which no trace viewer accepts.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan


def resource_spans_json(spans: Sequence[ReadableSpan]) -> str:
    """`spans` of one provider as a compact ResourceSpans object."""
    from google.protobuf.json_format import MessageToDict
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

    request = encode_spans(spans)
    message: dict[str, Any] = MessageToDict(request.resource_spans[0], use_integers_for_enums=True)
    for scope in message.get("scopeSpans", ()):
        for span in scope.get("spans", ()):
            for item in (span, *span.get("links", ())):
                for key in ("traceId", "spanId", "parentSpanId"):
                    if key in item:
                        item[key] = base64.b64decode(item[key]).hex()
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False)
