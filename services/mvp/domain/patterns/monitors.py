"""Products that watch: assets, their readings and limits, and what to do where a value is out of them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from services.mvp.domain.model import (
    At,
    Behaviour,
    Criterion,
    FieldDraft,
    Kit,
    Money,
    Ref,
    Seed,
    datetime,
    decimal,
    entity,
    ref,
    string,
    text,
)
from services.mvp.domain.patterns.context import Context, Pattern, any_of, last_noun

_DATA: Final = Path(__file__).parent.parent.parent / "data" / "monitors.json"


@dataclass(frozen=True)
class Limit:
    """A metric with the values between which all is well, and what to do outside of them."""

    metric: str
    unit: str
    lowest: str | None
    highest: str | None
    action_below: str
    action_above: str


@dataclass(frozen=True)
class Watched:
    """A kind of asset: the words that call for it, its own fields, the limits that matter, sample names."""

    asset: str
    words: str
    extras: Sequence[str]
    limits: Sequence[Limit]
    names: Sequence[str]


@lru_cache(maxsize=1)
def kinds() -> tuple[Watched, ...]:
    """Every kind of asset that the pipeline knows, from its own data file."""
    rows = json.loads(_DATA.read_text(encoding="utf-8"))
    return tuple(
        Watched(row["asset"], row["words"], row["extras"], [Limit(*limit) for limit in row["limits"]], row["names"])
        for row in rows
    )


def watched(context: Context) -> Watched:
    """The kind of asset that the idea speaks of most, the earlier one where two are level."""
    focus = context.focus
    best: tuple[int, int] = (0, 0)
    chosen = None
    for kind in kinds():
        found = [match.start() for match in re.finditer(kind.words, focus)]
        if found and (chosen is None or (len(found), -found[0]) > best):
            best, chosen = (len(found), -found[0]), kind
    if chosen is not None:
        return chosen
    noun = last_noun(context.profile.entities[0]) if context.profile.entities else ""
    limits = [
        Limit("error rate", "%", None, "5", "", "Investigate"),
        Limit("response time", "s", None, "2", "", "Add capacity"),
    ]
    return Watched(noun or "site", "", (), limits, ("Site 1", "Site 2"))


def monitor(context: Context) -> Kit:
    """Assets, their readings and limits; what is out of limits comes with what to do, the worst first."""
    kind = watched(context)
    names, extras = kind.names, kind.extras
    extra_fields: list[FieldDraft] = [
        decimal(name, required=False) if name == "hectares" else string(name, required=False) for name in extras
    ]
    asset = entity(
        kind.asset, [string("name"), *extra_fields, string("location", required=False), text("notes")], fallback="site"
    )
    limit = entity(
        "limit",
        [
            string("metric"),
            string("unit", required=False),
            decimal("lowest", required=False, minimum=None),
            decimal("highest", required=False, minimum=None),
            string("action_below", required=False),
            string("action_above", required=False),
        ],
    )
    capture = "scan" if context.says(r"\bscan\w*|\bdrones?\b(?=.*field)") else "reading"
    reading = entity(
        capture,
        [ref(asset), string("metric"), decimal("measured", minimum=None), datetime("taken_at"), text("notes")],
        label="metric",
    )
    asset.seeds = [_asset_seed(name, index, extras) for index, name in enumerate(names)]
    limit.seeds = [
        {
            "metric": one.metric,
            "unit": one.unit,
            "lowest": _money(one.lowest),
            "highest": _money(one.highest),
            "action_below": one.action_below,
            "action_above": one.action_above,
        }
        for one in kind.limits
    ]
    asset_id = f"{asset.snake}_id"
    reading.seeds = [
        {
            asset_id: Ref(asset, index),
            "metric": one.metric,
            "measured": Money(measured),
            "taken_at": At(-(index % 2), 7 + position),
        }
        for index in range(len(names))
        for position, one in enumerate(kind.limits)
        for measured in [_sample(one.lowest, one.highest, out=index == position)]
    ]
    return Kit(
        [asset, limit, reading],
        [
            Behaviour(
                kind="monitor",
                feature=f"Tell where {asset.many} need attention",
                answers=r"monitor|scan|detect|predict|alert|tell|measur|track|sens|identif|observ|irrigat|spray|map|forecast|analy|inspect|pause|suspend|diagnos",
                params={"asset": asset, "limit": limit, "reading": reading, "asset_id": asset_id},
                criteria=(
                    Criterion(
                        "test_tells_what_to_do_where",
                        f"Given {asset.a} below its lowest limit and one above its highest, when alerts are asked "
                        "for, then each is listed with its own action.",
                    ),
                    Criterion(
                        "test_puts_the_worst_first",
                        f"Given two {asset.many} out of limits, when alerts are asked for, "
                        "then the one further out leads.",
                    ),
                    Criterion(
                        "test_only_the_latest_counts",
                        f"Given {asset.a} that was out of limits and is back within, when alerts are asked for, "
                        "then it is left out.",
                    ),
                    Criterion(
                        "test_names_what_was_never_measured",
                        f"Given {asset.a} without any {reading.one}, when coverage is asked for, "
                        "then it is named as not measured instead of healthy.",
                    ),
                ),
            )
        ],
    )


def _asset_seed(name: str, index: int, extras: Sequence[str]) -> Seed:
    samples: dict[str, tuple[str | Money, ...]] = {
        "crop": ("Winter wheat", "Sugar beet", "Potatoes"),
        "hectares": (Money("12.4"), Money("8.1"), Money("20.0")),
        "owner": ("Finance operations", "Customer care", "Data team"),
        "phone": ("+1 555 0110", "+1 555 0111", "+1 555 0112"),
    }
    return {"name": name, **{extra: samples[extra][index % 3] for extra in extras}}


def _money(value: str | None) -> Money | None:
    return None if value is None else Money(value)


def _sample(low: str | None, high: str | None, *, out: bool) -> str:
    """A reading inside the limits, or a fifth of the limit beyond them."""
    lowest, highest = (float(low) if low else None), (float(high) if high is not None else None)
    if lowest is not None and highest is not None:
        span = highest - lowest
        value = lowest - span / 4 if out else lowest + span / 2
    elif highest is not None:
        value = highest * 1.4 + (2 if highest == 0 else 0) if out else highest * 0.6
    else:
        value = (lowest or 0) * (0.7 if out else 1.3)
    return f"{value:.2f}".rstrip("0").rstrip(".")


PATTERNS: Final = (
    Pattern(
        "monitor",
        any_of(
            r"monitor\w*",
            "scan(?:s|ning|ned)?",
            "sensors?",
            r"detect\w*",
            r"predict\w*",
            r"forecast\w*",
            r"measur\w+",
            "telemetry",
            "drones?",
            r"diagnos\w+",
            r"inspect\w*",
            r"anomal\w+",
            "unstable",
            "blackouts?",
            r"degrad\w+",
            r"jamm\w+",
            r"latenc\w+",
            r"instabilit\w+",
            "defects?",
            r"leak\w*",
            "circuit breaker",
            r"simulat\w+",
            "in real.time",
            "bioreactors?",
            "scale.up",
            r"fluid dynamics",
            r"collision\w*",
            "debris",
            r"congest\w*",
            "bottlenecks?",
            "bandwidth",
            r"firmwares?",
            r"quantum",
            r"encrypt\w*",
            r"vulnerab\w*",
            "backdoors?",
            "seismic",
            "zombie",
            "thermostats?",
            "turbines?",
            "energy (?:bills?|use)",
            r"suspend\w*",
            r"attack\w*",
        ),
        monitor,
        claims="journal",
    ),
)
