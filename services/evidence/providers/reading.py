"""What the providers of public APIs share: search words, fields of foreign records, and the errors they raise.

Everything here reads data from outside: a field of the wrong type counts as absent, numbers and lengths are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from chassis.http_answer import HttpResponse, parse_retry_after
from chassis.pool_errors import RETRY_AFTER_SECONDS_DEFAULT
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2
from services.evidence.domain.model import Query
from services.evidence.domain.scoring import VOTES_FULL
from services.evidence.domain.words import is_generic, stem
from services.evidence.providers.extract import visible

# Text kept of one record: longer than any abstract or article introduction.
TEXT_CHARS_MAX = 20_000
TITLE_CHARS_MAX = 500
AUTHOR_CHARS_MAX = 200
# Authors named before "et al.".
AUTHORS_MAX = 3
# Years that a record may plausibly name.
YEAR_MIN, YEAR_MAX = 1500, 2100

_WORD = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?", re.UNICODE)
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,60}")


# -------------------------------------------------------------------------------------- questions


def search_words(query: Query, words_max: int) -> list[str]:
    """Return at most `words_max` words that say something about the field, strongest first, letters and digits only.

    Punctuation never passes, so that no term is read as an operator of a search engine.
    """
    words: dict[str, str] = {}
    for term in [*query.terms, *query.idea.keywords]:
        for word in _WORD.findall(term.lower()):
            key = stem(word)
            if not is_generic(key) and len(words) < words_max:
                words.setdefault(key, word)
    return list(words.values())


def search_phrases(query: Query, phrases_max: int) -> list[str]:
    """Return at most `phrases_max` terms as they stand ("food waste"), those without a telling word left out."""
    phrases: dict[str, None] = {}
    for term in [*query.terms, *query.idea.keywords]:
        words = _WORD.findall(term.lower())
        if words and not all(is_generic(stem(word)) for word in words) and len(phrases) < phrases_max:
            phrases.setdefault(" ".join(words[:5]))
    return list(phrases)


def request_key(url: str, params: Mapping[str, str | int | float]) -> str:
    """Return the cache key of a request. `params` must hold everything that shapes the answer, and no secret."""
    return f"{url}|" + "&".join(f"{name}={params[name]}" for name in sorted(params))


# -------------------------------------------------------------------------------------- records


def record(value: object) -> dict[str, Any]:
    """The JSON object, or an empty one where it is something else."""
    return value if isinstance(value, dict) else {}


def records(value: object, items_max: int) -> list[dict[str, Any]]:
    """The first objects of a JSON list; what is no object is left out."""
    return [item for item in value if isinstance(item, dict)][:items_max] if isinstance(value, list) else []


def string(fields: Mapping[str, Any], name: str) -> str:
    """The field where it is a string, else ""."""
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def line(text: str, chars_max: int = TITLE_CHARS_MAX) -> str:
    """`text` on one line, single-spaced, without invisible characters, cut to `chars_max`."""
    return " ".join(visible(text[: 4 * chars_max]).split())[:chars_max].rstrip()


def votes(value: object) -> int:
    """A count of people who stood by it (citations, points): 0 where it is none, capped at ten times a full one."""
    if isinstance(value, bool) or not isinstance(value, int):
        return 0
    return min(max(value, 0), 10 * VOTES_FULL)


def year(value: object) -> int:
    """A plausible year, else 0."""
    if isinstance(value, bool) or not isinstance(value, int):
        return 0
    return value if YEAR_MIN <= value <= YEAR_MAX else 0


def moment(text: str) -> datetime | None:
    """An ISO date or time with its zone (UTC where it names none); None where it is not one."""
    if not 8 <= len(text) <= 40:
        return None
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    if not YEAR_MIN <= parsed.year <= YEAR_MAX:
        return None
    return parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)


def authors(names: list[str]) -> str:
    """ "A. Mbeki, J. Lindqvist, R. Costa et al."."""
    known = [name for name in (line(name, 100) for name in names) if name]
    text = ", ".join(known[:AUTHORS_MAX])
    return f"{text} et al."[:AUTHOR_CHARS_MAX] if len(known) > AUTHORS_MAX else text[:AUTHOR_CHARS_MAX]


# -------------------------------------------------------------------------------------- errors


def malformed(provider: str, what: str) -> PipelineError:
    """UPSTREAM_FAILED for an answer that is not in the API's shape; `what` completes "wikipedia answered ..."."""
    return PipelineError(
        errors_pb2.ERROR_REASON_UPSTREAM_FAILED,
        f"{provider} answered {what}",
        metadata={"upstream": provider, "cause": "malformed"},
    )


def refused(provider: str, response: HttpResponse, code: object = "", *, cause: str = "refused") -> PipelineError:
    """UPSTREAM_FAILED for an error that the API reports in its body; `cause` where it comes with HTTP 200.

    `code` is the API's own name for it ("internal_api_error_DBQueryError"); its sentence is not passed on, since
    an API may repeat a key in it.
    """
    ok = 200 <= response.status < 300
    metadata = {"upstream": provider, "cause": cause if ok else "status", "status": str(response.status)}
    name = str(code)
    if _CODE.fullmatch(name):
        metadata["code"] = name
    said = f" ({name})" if "code" in metadata else ""
    return PipelineError(
        errors_pb2.ERROR_REASON_UPSTREAM_FAILED,
        f"{provider} refused the request{said}" if ok else f"{provider} answered {response.status}{said}",
        metadata=metadata,
        retry_after=wait_of(response),
    )


def throttled(provider: str, response: HttpResponse, default: float = RETRY_AFTER_SECONDS_DEFAULT) -> PipelineError:
    """UPSTREAM_RATE_LIMITED for a throttle that does not come as 429; `default` seconds where it names no time."""
    wait = wait_of(response)
    return PipelineError(
        errors_pb2.ERROR_REASON_UPSTREAM_RATE_LIMITED,
        f"{provider} asks for fewer calls",
        metadata={"upstream": provider, "status": str(response.status)},
        retry_after=default if wait is None else wait,
    )


def wait_of(response: HttpResponse) -> float | None:
    """Seconds of the answer's Retry-After, capped; a date counts from the answer's own Date."""
    try:
        now = parsedate_to_datetime(response.headers.get("date", ""))
    except ValueError:
        now = datetime.now(UTC)
    return parse_retry_after(response.headers.get("retry-after"), now if now.tzinfo else now.replace(tzinfo=UTC))


def json_of(provider: str, response: HttpResponse) -> Any:
    """The body as JSON, or the typed error."""
    try:
        return response.json()
    except ValueError as exc:
        raise malformed(provider, "without valid JSON") from exc
