"""`python -m bench.evaluation`: every section's rows as one table; exits 1 where a bound is missed."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.evaluation.report import Row, table

# A section is a module with TITLE and run(data) -> list[Row]; add its name here.
SECTIONS = (
    "retrieval",
    "embedder",
    "stance",
    "business",
    "product_matching",
    "profile",
    "duplicates",
    "resilience",
    "batch",
    "citations",
)


def measure(data: Path, names: Sequence[str] = SECTIONS) -> list[tuple[str, list[Row]]]:
    """Run the sections one after another and return their titles and rows."""
    found = []
    for name in names:
        section = importlib.import_module(f"bench.evaluation.{name}")
        began = time.perf_counter()
        rows = section.run(data)
        print(f"{name}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
        found.append((section.TITLE, rows))
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table; 1 where a bound is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.evaluation", description=__doc__)
    parser.add_argument("sections", nargs="*", help=f"of {', '.join(SECTIONS)}; all where none is named")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="where the data sets lie")
    given = parser.parse_args(argv)
    unknown = set(given.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"no section {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    sections = measure(given.data, given.sections or SECTIONS)
    print(table(sections))
    missed = [row.name for _, rows in sections for row in rows if row.holds is False]
    print(f"\n{len(missed)} bounds missed" if missed else "\nevery bound that could be measured holds")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
