"""Structured logging: one line per event on stderr, with trace id, span id and request id.

Loggers are standard library loggers named `pipeline.<server>`, so that a program that embeds the pipeline decides
itself where its lines go; `configure_logging` is for processes of our own. Nothing here writes to stdout.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TextIO, cast

import structlog
from opentelemetry import trace

VALUE_CHARS_MAX = 2_000

_request_id: ContextVar[str] = ContextVar("pipeline_request_id", default="")

_SECRET_KEY = re.compile(r"(?i)(token|secret|password|passwd|api[_-]?key|authorization|cookie|credential)")
_SECRETS = (
    re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"),
    re.compile(r"\b(sk|pk|rk|ghp|gho|xox[abp]|AKIA|AIza)[-_A-Za-z0-9]{12,}"),
    re.compile(r"(?i)\b(token|secret|password|passwd|api[_-]?key)(['\"]?\s*[:=]\s*['\"]?)[^\s'\",;&]+"),
    re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"),
)


def current_request_id() -> str:
    """Id of the call being served, empty outside of one."""
    return _request_id.get()


def set_request_id(request_id: str) -> None:
    """Makes `request_id` current for the rest of this task."""
    _request_id.set(request_id)


def redact(text: str) -> str:
    """`text` with what looks like a credential replaced by `[redacted]`."""
    for pattern in _SECRETS:
        text = pattern.sub("[redacted]", text)
    return text


def get_logger(name: str, **fields: object) -> structlog.stdlib.BoundLogger:
    """The logger `pipeline.<name>`, with `fields` on every line."""
    logger = structlog.wrap_logger(
        logging.getLogger(f"pipeline.{name}" if name else "pipeline"),
        processors=[structlog.stdlib.filter_by_level, _add_ids, _add_exception, _to_record],
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    return cast("structlog.stdlib.BoundLogger", logger.bind(**fields))


Event = MutableMapping[str, Any]


def _add_ids(_logger: object, _method: str, event: Event) -> Event:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event.setdefault("trace_id", format(context.trace_id, "032x"))
        event.setdefault("span_id", format(context.span_id, "016x"))
    if request_id := _request_id.get():
        event.setdefault("request_id", request_id)
    return event


def _add_exception(_logger: object, _method: str, event: Event) -> Event:
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        lines = traceback.format_exception(error)
        event["exception"] = "".join(lines)[-4 * VALUE_CHARS_MAX :]
    return event


def _to_record(_logger: object, _method: str, event: Event) -> tuple[tuple[str], dict[str, object]]:
    message = str(event.pop("event", ""))
    fields = {key: _clean(key, value) for key, value in event.items()}
    text = " ".join([message, *(f"{key}={_short(value)}" for key, value in fields.items() if key != "exception")])
    if "exception" in fields:
        text += f"\n{fields['exception']}"
    return (text,), {"extra": {"pipeline_event": message, "pipeline": fields}}


def _clean(key: str, value: object) -> object:
    if _SECRET_KEY.search(key):
        return "[redacted]"
    if value is None or isinstance(value, bool | int | float):
        return value
    limit = 4 * VALUE_CHARS_MAX if key == "exception" else VALUE_CHARS_MAX
    return redact(str(value))[:limit].encode("utf-8", "replace").decode()


def _short(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if re.search(r"[\s\"=]", text) or not text else text


class ConsoleFormatter(logging.Formatter):
    """`12:00:01.123 INFO  pipeline.evidence: call code=OK ...`, UTC."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S.%f")[:-3]
        text = f"{moment} {record.levelname:<7} {record.name}: {record.getMessage()}"
        if record.exc_info:
            text += "\n" + redact(self.formatException(record.exc_info))
        return text


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, event, and the event's fields."""

    def format(self, record: logging.LogRecord) -> str:
        fields = cast("Mapping[str, object]", getattr(record, "pipeline", {}))
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": getattr(record, "pipeline_event", None) or redact(record.getMessage()),
            **fields,
        }
        if record.exc_info:
            line["exception"] = redact(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)


def configure_logging(level: str = "info", log_format: str = "console", stream: TextIO | None = None) -> None:
    """Sends the process's log lines to `stream` (stderr); ours from `level` up, other libraries' from warning.

    Replaces what an earlier call set up; handlers of others stay.
    """
    handler = logging.StreamHandler(stream if stream is not None else sys.stderr)
    handler.set_name("pipeline")
    handler.setFormatter(JsonFormatter() if log_format == "json" else ConsoleFormatter())
    root = logging.getLogger()
    for existing in [item for item in root.handlers if item.get_name() == "pipeline"]:
        root.removeHandler(existing)
    root.addHandler(handler)
    logging.getLogger("pipeline").setLevel(level.upper())
