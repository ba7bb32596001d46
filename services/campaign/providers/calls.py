"""One request to an advertising platform: as it is sent, as people are shown it, and what its refusals mean."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from chassis.http_answer import RETRY_AFTER_SECONDS_MAX, HttpResponse
from pipeline.errors import PipelineError
from pipeline.v1 import campaign_pb2, errors_pb2

if TYPE_CHECKING:
    from chassis.clock import Clock
    from chassis.pool import HttpPool

# Stands where a secret is.
BLANKED = "***"
# Platforms explain a refusal in its body, so that every one is read.
_REFUSALS = frozenset(range(400, 600))
# A throttle that names no time.
WAIT_SECONDS_DEFAULT = 60.0
_NAME = re.compile(r"[A-Za-z0-9_.\[\]:-]{1,120}")


@dataclass(frozen=True)
class Api:
    """A platform's API: where it is, the connections to it, and what its refusals mean."""

    name: str
    url: str
    pool: HttpPool
    clock: Clock
    refused: Callable[[HttpResponse], PipelineError]

    async def ask(self, method: str, url: str, headers: Mapping[str, str], **more: Any) -> HttpResponse:
        """The answer with a status of 200 to 299; any other raises what `refused` makes of it."""
        headers = {"Accept": "application/json", **headers}
        response = await self.pool.request(method, url, headers=headers, answers=_REFUSALS, **more)
        if response.status >= 400:
            raise self.refused(response)
        return response


@dataclass(frozen=True)
class Call:
    """A request without its headers. `path` follows the API's address; `body` is sent as JSON, None sends none."""

    method: str
    path: str
    body: object | None = None
    params: Mapping[str, str] = field(default_factory=dict)

    def shown(self, api: Api, headers: Mapping[str, str]) -> campaign_pb2.PlannedRequest:
        """The request for people; `headers` are given with their secrets blanked already."""
        address = f"{api.url.rstrip('/')}{self.path}" + (f"?{urlencode(self.params)}" if self.params else "")
        body = "" if self.body is None else json.dumps(self.body, indent=2, ensure_ascii=False)
        kind = {"Content-Type": "application/json"} if body else {}
        return campaign_pb2.PlannedRequest(method=self.method, url=address, headers={**headers, **kind}, body=body)

    async def send(self, api: Api, headers: Mapping[str, str]) -> HttpResponse:
        params = dict(self.params) or None
        url = f"{api.url.rstrip('/')}{self.path}"
        return await api.ask(self.method, url, headers, params=params, json_body=self.body)

    async def read(self, api: Api, headers: Mapping[str, str]) -> dict[str, Any]:
        """The JSON object that is answered."""
        return object_of(api.name, json_of(api.name, await self.send(api, headers)))


def json_of(platform: str, response: HttpResponse) -> Any:
    """The JSON of an answer; UPSTREAM_FAILED with cause `malformed` where it is none."""
    try:
        return response.json()
    except ValueError:
        raise failed(platform, "answered no JSON", cause="malformed") from None


def object_of(platform: str, answer: Any) -> dict[str, Any]:
    """An answer that has to be a JSON object; UPSTREAM_FAILED with cause `malformed` where it is none."""
    if not isinstance(answer, dict):
        raise failed(platform, "answered no JSON object", cause="malformed")
    return answer


def rows(platform: str, body: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """The objects of a list in an answer; an absent list is an empty one."""
    found = body.get(key, [])
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise failed(platform, f"answered {key} that is no list", cause="malformed")
    return found


def text(platform: str, body: Mapping[str, Any], key: str) -> str:
    """A text that an answer has to have (an id, mostly); numbers are taken as they are written."""
    value = body.get(key)
    if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "":
        raise failed(platform, f"answered without {key}", cause="malformed")
    return str(value)


def part(body: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The object that stands under `key`; {} where none does."""
    value = body.get(key)
    return value if isinstance(value, dict) else {}


def refused_body(response: HttpResponse) -> dict[str, Any]:
    """The JSON object of a refusal; {} where it is none."""
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


# ---------------------------------------------------------------------------------------------- errors
#
# No sentence of a platform is passed on, since it may repeat a key; its own names of things (error codes, fields) are.


def known_name(value: object) -> str:
    """`value` where it is a name as APIs write them ("DUPLICATE_CAMPAIGN_NAME", "operations[1].create"), else ""."""
    return str(value) if isinstance(value, (str, int)) and _NAME.fullmatch(str(value)) else ""


def failed(platform: str, what: str, *, cause: str, status: int = 0, **metadata: str) -> PipelineError:
    """UPSTREAM_FAILED; `what` completes the sentence that begins with the platform's name."""
    told = {"upstream": platform, "cause": cause, **{key: value for key, value in metadata.items() if value}}
    if status:
        told["status"] = str(status)
    return PipelineError(errors_pb2.ERROR_REASON_UPSTREAM_FAILED, f"{platform} {what}", metadata=told)


def answered(platform: str, status: int, code: str = "", **metadata: str) -> PipelineError:
    """An answer with an error status: retried by others where it is 500 and above, as the platform is unwell then."""
    named = f" ({code})" if code else ""
    return failed(platform, f"answered {status}{named}", cause="status", status=status, code=code, **metadata)


def refused_key(platform: str, settings: str, status: int, code: str = "") -> PipelineError:
    """The platform does not take our credentials: a person has to mend it, so that the message names the settings."""
    named = f" ({code})" if code else ""
    return failed(
        platform, f"refused the credentials{named}; check {settings}", cause="status", status=status, code=code
    )


def limited(platform: str, seconds: float | None, status: int, code: str = "") -> PipelineError:
    """UPSTREAM_RATE_LIMITED with the wait, capped as everywhere; None where the platform names none."""
    wait = WAIT_SECONDS_DEFAULT if seconds is None else max(seconds, 0.0)
    metadata = {"upstream": platform, "status": str(status)}
    if code:
        metadata["code"] = code
    if wait > RETRY_AFTER_SECONDS_MAX:
        metadata["wait_seconds"] = f"{wait:.0f}"
    return PipelineError(
        errors_pb2.ERROR_REASON_UPSTREAM_RATE_LIMITED,
        f"{platform} asks for fewer calls",
        metadata=metadata,
        retry_after=min(wait, RETRY_AFTER_SECONDS_MAX),
    )
