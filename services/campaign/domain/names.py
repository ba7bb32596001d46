"""Names of campaigns: the resource (`runs/{run}/campaign`) and the part of a page's address (`larderwise-3f9a2c1d`)."""

from __future__ import annotations

import hashlib
import re
import unicodedata

NAME_EXAMPLE = "runs/01j9z3.../campaign"
SLUG_WORDS_CHARS_MAX = 40
# Hex digits of the run's digest in a slug: keeps two products of one name apart, and addresses from being guessed.
SLUG_DIGEST_CHARS = 8

_RUN_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_OTHER = re.compile(r"[^a-z0-9]+")


def run_id(name: str) -> str | None:
    """The id in `runs/{id}`; None for another form."""
    prefix, _, rest = name.partition("/")
    return rest if prefix == "runs" and _RUN_ID.fullmatch(rest) else None


def campaign_name(campaign_id: str) -> str:
    """`runs/{id}/campaign`."""
    return f"runs/{campaign_id}/campaign"


def campaign_id(name: str) -> str | None:
    """The id in `runs/{id}/campaign`; None for another form."""
    run, separator, rest = name.rpartition("/")
    return run_id(run) if separator and rest == "campaign" else None


def page_slug(title: str, campaign: str) -> str:
    """Part of the page's address: the title in letters that every address bar shows, and digits of the campaign's id.

    The same campaign gets the same slug for the same title.
    """
    ascii_text = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    words = _OTHER.sub("-", ascii_text.lower()).strip("-")[:SLUG_WORDS_CHARS_MAX].strip("-")
    digest = hashlib.sha256(campaign.encode()).hexdigest()[:SLUG_DIGEST_CHARS]
    return f"{words or 'idea'}-{digest}"
