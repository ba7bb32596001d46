"""Runs every Python block of a Markdown guide in order, as a reader would who pastes them one after another.

    python guide_runner.py GUIDE.md

Names live on from block to block. Blocks that await are run on a loop; `# Old` and `# New` (`# Wrong`, `# Correct`)
part a block in two, since both halves use the same names for different things; a `# Wrong` half must raise. What the
guide takes for granted (an idea, domains, a pipeline) is set here.
"""

import ast
import asyncio
import inspect
import json
import re
import sys
from pathlib import Path

IDEA = "A mobile app that helps households waste less food by tracking expiry dates and suggesting recipes"
PARTS = re.compile(r"^# (Old|New|Wrong|Correct|Or)\b.*$", re.MULTILINE)


def blocks(guide: str) -> list[tuple[str, str]]:
    """Kind ("", Old, New, Wrong, Correct, Or) and source of each part of each block."""
    found: list[tuple[str, str]] = []
    for block in re.findall(r"```python\n(.*?)```", guide, re.DOTALL):
        pieces = PARTS.split(block)
        if pieces[0].strip():
            found.append(("", pieces[0]))
        found += list(zip(pieces[1::2], pieces[2::2], strict=True))
    return found


async def supply(space: dict[str, object]) -> None:
    """What the guide's blocks take for granted, made anew for the part that needs it."""
    from pipeline.main_pipeline_async import InvestorType, create_async_pipeline
    from pipeline.services.evidence_collector_async import create_async_evidence_collector

    space.update(startup_idea=IDEA, idea=IDEA, claim=IDEA, domains=["competition"])
    space.update(InvestorType=InvestorType, json=json, asyncio=asyncio)
    space.setdefault("pipeline", await create_async_pipeline())
    space.setdefault("evidence_collector", await create_async_evidence_collector())


def run(path: Path) -> int:
    """Run the guide; returns the number of parts run."""
    space: dict[str, object] = {"__name__": "__main__"}
    parts = blocks(path.read_text(encoding="utf-8"))
    assert parts, f"{path} holds no Python block"
    with asyncio.Runner() as runner:
        runner.run(supply(space))
        standing = {name: space[name] for name in ("pipeline", "evidence_collector")}
        for kind, source in parts:
            code = compile(source, f"{path.name}: {source.strip().splitlines()[0][:60]}", "exec",
                           flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)  # fmt: skip
            print(f"--- {kind} {source.strip().splitlines()[0][:90]}", flush=True)
            if kind == "Old" and "evidence_collector" in source and "import" not in source:
                space["evidence_collector"] = space["get_evidence_collector"]()  # type: ignore[operator]
            if kind == "Wrong":
                runner.run(expect_refusal(code, space))
                continue
            result = eval(code, space)
            if inspect.iscoroutine(result):
                runner.run(result)
            if kind == "Old":
                for value in (space.get("pipeline"), space.get("evidence_collector")):
                    if not hasattr(type(value), "__aenter__") and hasattr(value, "close"):
                        value.close()  # type: ignore[union-attr]
            if "evidence_collector" in source or kind == "Old":
                space.update(standing)
        for value in {id(v): v for v in (*standing.values(), space.get("pipeline")) if v is not None}.values():
            if hasattr(type(value), "__aenter__"):
                runner.run(value.close())  # type: ignore[attr-defined]
    return len(parts)


async def expect_refusal(code: object, space: dict[str, object]) -> None:
    """Run a part that the guide calls wrong, inside a loop as in Jupyter: it must raise."""
    try:
        eval(code, space)  # type: ignore[arg-type]
    except RuntimeError as error:
        print(f"    refused: {error}")
        return
    raise AssertionError("what the guide calls wrong went through")


if __name__ == "__main__":
    print(f"{run(Path(sys.argv[1]))} parts ran")
