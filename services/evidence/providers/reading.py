"""Fields of foreign records: what the providers of public APIs read answers with.

Everything here reads data from outside: a field of the wrong type counts as absent, numbers and lengths are bounded.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from chassis.http_answer import HttpResponse
from services.evidence.domain.scoring import VOTES_FULL
from services.evidence.providers.extract import html_to_text, visible
from services.evidence.providers.refusals import malformed

# Text kept of one record: longer than any abstract or article introduction.
TEXT_CHARS_MAX = 20_000
TITLE_CHARS_MAX = 500
AUTHOR_CHARS_MAX = 200
# Authors named before "et al.".
AUTHORS_MAX = 3
# Years that a record may plausibly name; 2100 in seconds since 1970.
YEAR_MIN, YEAR_MAX = 1500, 2100
_SECONDS_MAX = 4_102_444_800


# -------------------------------------------------------------------------------------- shapes


def json_of(provider: str, response: HttpResponse) -> Any:
    """The body as JSON. Raises UPSTREAM_FAILED where it is none."""
    try:
        return response.json()
    except ValueError as exc:
        raise malformed(provider, "without valid JSON") from exc


def rows(provider: str, answer: object, *path: str) -> list[dict[str, Any]]:
    """The records at `path`; those that are no objects are left out. Raises UPSTREAM_FAILED where there is no list."""
    for field in path:
        answer = answer.get(field) if isinstance(answer, dict) else None
    if not isinstance(answer, list):
        raise malformed(provider, f"without a list of {path[-1]}" if path else "without a list")
    return [item for item in answer if isinstance(item, dict)]


def record(value: object) -> dict[str, Any]:
    """The JSON object, or an empty one where it is something else."""
    return value if isinstance(value, dict) else {}


def records(value: object, items_max: int) -> list[dict[str, Any]]:
    """The first objects of a JSON list; what is no object is left out."""
    return [item for item in value if isinstance(item, dict)][:items_max] if isinstance(value, list) else []


# -------------------------------------------------------------------------------------- text


def string(fields: Mapping[str, Any], name: str) -> str:
    """The field where it is a string, else ""."""
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def strings(value: object, items_max: int) -> list[str]:
    """The first strings of a JSON list; what is no string is left out."""
    return [item for item in value if isinstance(item, str)][:items_max] if isinstance(value, list) else []


def first_string(value: object) -> str:
    """The first string of a JSON list, else ""."""
    return next(iter(strings(value, 1)), "")


def line(value: object, chars_max: int = TITLE_CHARS_MAX) -> str:
    """Text on one line, single-spaced, without invisible characters, markup as written; "" for what is no string."""
    return " ".join(visible(value[: 4 * chars_max]).split())[:chars_max].rstrip() if isinstance(value, str) else ""


def html_line(value: object, chars_max: int = TITLE_CHARS_MAX) -> str:
    """HTML as one clean line of at most `chars_max`; "" for what is no string."""
    return " ".join(html_to_text(value).split())[:chars_max].strip() if isinstance(value, str) else ""


def authors(names: list[str]) -> str:
    """ "A. Mbeki, J. Lindqvist, R. Costa et al."."""
    known = [name for name in (line(name, 100) for name in names) if name]
    text = ", ".join(known[:AUTHORS_MAX])
    return f"{text} et al."[:AUTHOR_CHARS_MAX] if len(known) > AUTHORS_MAX else text[:AUTHOR_CHARS_MAX]


# -------------------------------------------------------------------------------------- numbers and dates


def count(value: object) -> int:
    """A whole number of things; 0 where it is none, negative or absurd."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**15 else 0


def votes(value: object) -> int:
    """A count of people who stood by it (citations, points), capped at ten times a full one."""
    return min(count(value), 10 * VOTES_FULL)


def year(value: object) -> int:
    """A plausible year, else 0."""
    of_year = count(value)
    return of_year if YEAR_MIN <= of_year <= YEAR_MAX else 0


def moment(value: object) -> datetime | None:
    """A moment in ISO 8601, in UTC; one without a zone is taken as UTC; None where it is none or has no day."""
    text = value.strip() if isinstance(value, str) else ""
    if not 8 <= len(text) <= 40:
        return None
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    if not YEAR_MIN <= parsed.year <= YEAR_MAX:
        return None
    return parsed.astimezone(UTC) if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)


def moment_of(seconds: object) -> datetime | None:
    """A moment given in seconds since 1970; None where it is no such number."""
    whole = count(seconds)
    return datetime.fromtimestamp(whole, UTC) if 0 < whole < _SECONDS_MAX else None
