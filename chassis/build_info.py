"""Which build this is."""

from __future__ import annotations

from functools import cache
from importlib import metadata

DISTRIBUTION = "startup-idea-pipeline"


@cache
def version() -> str:
    """Version of the installed distribution; "unknown" when run from a tree that is not installed."""
    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return "unknown"
