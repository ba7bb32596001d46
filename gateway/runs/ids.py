"""Names of runs and batches: 26 lower-case characters, ordered by the time they were made."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from datetime import datetime

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32
_ID = re.compile(r"^[0-9a-hjkmnp-tv-z]{26}$")


def new_id(now: datetime, random_bits: Callable[[int], int] = secrets.randbits) -> str:
    """48 bits of milliseconds, then 80 random bits: sorts by creation and cannot be guessed."""
    number = (int(now.timestamp() * 1000) & ((1 << 48) - 1)) << 80 | random_bits(80)
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))


def run_name(run_id: str) -> str:
    """`runs/{id}`."""
    return f"runs/{run_id}"


def batch_name(batch_id: str) -> str:
    """`batches/{id}`."""
    return f"batches/{batch_id}"


def parse(name: str, collection: str) -> str | None:
    """The id in `{collection}/{id}`, or None when the name has another form."""
    prefix, _, rest = name.partition("/")
    return rest if prefix == collection and _ID.match(rest) else None


def micros(moment: datetime) -> int:
    """Microseconds since the epoch."""
    return int(moment.timestamp() * 1_000_000)
