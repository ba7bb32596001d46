"""A request's shape, checked field by field: what a platform knows, by name, type and value.

A shape is a mapping of field names to what may stand there: a type, a set of texts, a shape, or a list with one of
those. A name that ends in "!" has to be there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

# 64-bit numbers travel as texts in proto JSON, as numbers elsewhere.
INT64 = "int64"
NUMBER = (int, float)


class Flaw(NamedTuple):
    """What is wrong with a field: "unknown", "missing", "type" or "value"."""

    kind: str
    path: str
    name: str


def flaws(shape: Mapping[str, Any], value: Mapping[str, Any], path: str = "") -> Iterator[Flaw]:
    """Every flaw of an object, unknown names first."""
    known = {name.rstrip("!"): wanted for name, wanted in shape.items()}
    for name in value:
        if name not in known:
            yield Flaw("unknown", path, name)
    for name, wanted in shape.items():
        bare = name.rstrip("!")
        if bare in value:
            yield from _flaws_at(wanted, value[bare], path, bare)
        elif name.endswith("!"):
            yield Flaw("missing", path, bare)


def _flaws_at(wanted: Any, value: Any, path: str, name: str) -> Iterator[Flaw]:
    where = f"{path}.{name}" if path else name
    if isinstance(wanted, Mapping):
        yield from flaws(wanted, value, where) if isinstance(value, dict) else [Flaw("type", path, name)]
    elif isinstance(wanted, list):
        if not isinstance(value, list):
            yield Flaw("type", path, name)
            return
        for place, item in enumerate(value):
            yield from _flaws_at(wanted[0], item, path, f"{name}[{place}]")
    elif isinstance(wanted, (set, frozenset)):
        if value not in wanted:
            yield Flaw("value", path, name)
    elif wanted == INT64:
        if not (isinstance(value, str) and value.lstrip("-").isdecimal()):
            yield Flaw("type", path, name)
    elif not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
        yield Flaw("type", path, name)
