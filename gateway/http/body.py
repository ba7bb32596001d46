"""The body of a request as a message of the contract; what cannot be read is named with its field and the mend."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TypeVar

from aiohttp import web
from google.protobuf import descriptor_pool
from google.protobuf.json_format import Parse, ParseError
from google.protobuf.message import Message

from pipeline.errors import PipelineError

M = TypeVar("M", bound=Message)

# A body of the greatest size arrives within this over a line of 5 Mbit/s; a slower sender would only hold a place.
BODY_SECONDS = 30.0

_PLACE = re.compile(r' at "?\w+\.([\w.\[\]]+?)"?\.*$')
_UNKNOWN_FIELD = re.compile(r'has no field named "([^"]+)"')
_UNKNOWN_VALUE = re.compile(r"Invalid enum value (.+) for enum type ([\w.]+)")
_NESTED = re.compile(r"Failed to parse (\w+) field: ")
_PROSE = re.compile(r"^(Failed to (load|parse) JSON: )+")


async def read_message(request: web.Request, message: M) -> M:
    """The JSON body as a message. Raises INVALID_FIELD naming the field where the parser can."""
    check_type(request)
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise _refused(415, "content-encoding", "is not taken; send the body as it is")
    try:
        async with asyncio.timeout(BODY_SECONDS):
            raw = await request.read()
    except TimeoutError as error:
        raise _refused(408, "body", f"did not arrive within {BODY_SECONDS:.0f} s; send it again") from error
    try:
        text = raw.decode("utf-8")
        given = json.loads(text)
        # Lone surrogates in \u escapes pass the JSON parser and would break everything after it.
        json.dumps(given, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise PipelineError.invalid("body", "has a lone surrogate in a \\u escape; send valid Unicode") from error
    except json.JSONDecodeError as error:
        place = f"{error.msg} at line {error.lineno}, column {error.colno}"
        raise PipelineError.invalid("body", f"is not JSON: {place}; mend it there") from error
    except (ValueError, RecursionError) as error:
        raise PipelineError.invalid("body", "is not JSON in UTF-8; send one JSON object") from error
    if not isinstance(given, dict):
        raise PipelineError.invalid("body", "is not a JSON object; send the request's fields in { }")
    try:
        return Parse(text, message, max_recursion_depth=32)
    except ParseError as error:
        raise _fault(str(error)) from error


def check_type(request: web.Request) -> None:
    """Only JSON: a form on a foreign page can send everything else across origins without asking."""
    if request.content_type != "application/json":
        raise _refused(415, "content-type", "must be application/json")


def _refused(http_status: int, field: str, description: str) -> PipelineError:
    error = PipelineError.invalid(field, description)
    error.http_status = http_status
    return error


def _fault(text: str) -> PipelineError:
    """The parser's complaint as a violation: it names the place in prose."""
    text = text.partition("\n")[0]
    place = _PLACE.search(text)
    nested = _NESTED.findall(text)
    field = place.group(1) if place else ".".join(nested) or "body"
    if unknown := _UNKNOWN_FIELD.search(text):
        name = unknown.group(1)[:60]
        return PipelineError.invalid(f"{field}.{name}" if place else name, "is not a field of the contract; remove it")
    if value := _UNKNOWN_VALUE.search(text):
        choices = descriptor_pool.Default().FindEnumTypeByName(value.group(2)).values
        names = ", ".join(choice.name for choice in choices if choice.number)
        return PipelineError.invalid(field, f"is {value.group(1)[:60]}, which is unknown; choose one of {names}")
    reason = _PROSE.sub("", _NESTED.sub("", text[: place.start()] if place else text)).strip(" .")
    return PipelineError.invalid(field, f"cannot be read: {reason[:160]}")
