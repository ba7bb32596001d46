"""How often the profile read from an ordinary sentence is right, field by field.

`tests/fixtures/idea_labels.jsonl` holds labels made by hand: for the 84 sentences of the data set `ideas` (named by
slug) and for 132 sentences of our own in other styles: 36 of the first round, and 72 as founders type them
(fragments, questions, two sentences, analogies), and 24 by somebody who knew none of the rules. Of the 72, every
third is held out. A label says what a careful reader would take from the sentence:

- audience      groups of accepted noun phrases; right when every group is met and nothing else is called stated. Who
                is only inferred from the field does not count either way.
- problem       words of which one must stand in the problem; empty: the sentence states none, so that one which is
                found must be marked as inferred.
- customer, category   accepted values.
- regulated     fields that must be named; with `regulated_may` those that may. Right when none lacks and no other is
                there.

Sentences with an even number (counted from 0) are for tuning, the odd ones are held out. The held-out set is not quite
blind: three of its regulated fields were wrong at first (39 of 42), and the same rules were mended as for the tuning
set. Of our own sentences, "fresh" was blind once and has since been mended for as well; "founders held out" was written
by the same hand that then wrote the rules, and its output was looked at once, after the last of them (audience 18 of
24, problem 21, customer 24, category 22, regulated 23); two nonsense audiences have been mended since.

The 24 sentences of the outsider were blind: at first sight audience was right in 12 of 24, problem in 17, customer in
22, category in 18, regulated in 20. They were then used for mending,
so that "outsider (mended on)" tells only that this is not lost again. The 16 unseen ones were written by the same
outsider after that mending, read once, and nothing was mended on them: theirs are the figures to quote.

The floors were set below what was measured; they keep it from getting worse.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.evaluation.report import Row, at_least, skipped
from chassis.idea.reading import read_idea
from chassis.idea.text import normalise
from pipeline.v1 import common_pb2 as pb

LABELS = Path(__file__).parents[2] / "tests" / "fixtures" / "idea_labels.jsonl"
IDEAS = Path("ideas") / "generated_startup_ideas.jsonl"
TITLE = "Profile: fields read right from ordinary sentences"
# Our own sentences by their `set` in the file.
OWN_SETS = {
    "": "other styles",
    "fresh": "fresh",
    "dev2": "founders",
    "held2": "founders held out",
    "outsider": "outsider (mended on)",
    "unseen": "unseen",
}
FIELDS = ("audience", "problem", "customer", "category", "regulated")
# What must not be lost again. Sentences of other styles are harder.
ACCURACY_MIN = {
    "tuning": 0.95,
    "held out": 0.95,
    "other styles": 0.90,
    "fresh": 0.80,
    "founders": 0.93,
    "founders held out": 0.70,
    "outsider (mended on)": 0.88,
    "unseen": 0.70,
}

Label = dict[str, Any]


def run(data: Path) -> list[Row]:
    """A row for each set and field; `data` is the folder of the shared data sets."""
    if not (data / IDEAS).is_file():
        return [skipped("profile", f"{data / IDEAS} is absent")]
    shared, own = labelled(data)
    sets = [("tuning", shared[::2]), ("held out", shared[1::2])]
    sets += [(name, [label for label in own if label.get("set", "") == key]) for key, name in OWN_SETS.items()]
    return [_row(name, field, labels) for name, labels in sets for field in FIELDS]


def labelled(data: Path) -> tuple[list[Label], list[Label]]:
    """The labels with their sentences in `idea`: those of the data set, and our own."""
    labels = [json.loads(line) for line in LABELS.read_text(encoding="utf-8").splitlines()]
    rows = [json.loads(line) for line in (data / IDEAS).read_text(encoding="utf-8").splitlines()]
    texts = {row["slug"]: row["idea"] for row in rows}
    shared = [{**label, "idea": texts[label["idea_id"]]} for label in labels if "idea_id" in label]
    return shared, [label for label in labels if "idea_id" not in label]


def wrong(label: Label, field: str) -> str:
    """What is wrong with the field, empty where it is right."""
    profile = read_idea(normalise(label["idea"])).profile
    return _CHECKS[field](profile, label)


def _row(name: str, field: str, labels: Sequence[Label]) -> Row:
    misses = []
    for label in labels:
        fault = wrong(label, field)
        if fault:
            misses.append(f"{label.get('idea_id') or label['idea'][:40]}: {fault}")
    right = (len(labels) - len(misses)) / len(labels)
    note = f"{len(labels) - len(misses)}/{len(labels)}" + (f"; {'; '.join(misses)}" if misses else "")
    return at_least(f"{name}: {field}", right, ACCURACY_MIN[name], note=note)


def _audience(profile: pb.IdeaProfile, label: Label) -> str:
    found = [] if "audiences" in profile.inferred_fields else [who.lower() for who in profile.audiences]
    groups = [[phrase.lower() for phrase in group] for group in label["audience"]]
    allowed = {phrase for group in groups for phrase in group} | {who.lower() for who in label.get("audience_may", [])}
    lacking = [group[0] for group in groups if not set(group) & set(found)]
    surplus = [who for who in found if who not in allowed]
    return _differs(lacking, surplus)


def _problem(profile: pb.IdeaProfile, label: Label) -> str:
    if not label["problem"]:
        stated = bool(profile.problem) and "problem" not in profile.inferred_fields
        return f"states no problem, read “{profile.problem}”" if stated else ""
    said = profile.problem.lower()
    return "" if any(word.lower() in said for word in label["problem"]) else f"read “{profile.problem}”"


def _customer(profile: pb.IdeaProfile, label: Label) -> str:
    name = pb.CustomerType.Name(profile.customer_type).removeprefix("CUSTOMER_TYPE_")
    return "" if name in label["customer"] else f"read {name}"


def _category(profile: pb.IdeaProfile, label: Label) -> str:
    return "" if profile.category in label["category"] else f"read {profile.category}"


def _regulated(profile: pb.IdeaProfile, label: Label) -> str:
    found = [field.field for field in profile.regulated_fields]
    lacking = [field for field in label["regulated"] if field not in found]
    surplus = [field for field in found if field not in {*label["regulated"], *label["regulated_may"]}]
    return _differs(lacking, surplus)


def _differs(lacking: Sequence[str], surplus: Sequence[str]) -> str:
    parts = [f"lacks {', '.join(lacking)}"] if lacking else []
    parts += [f"has {', '.join(surplus)}"] if surplus else []
    return " and ".join(parts)


_CHECKS = {
    "audience": _audience,
    "problem": _problem,
    "customer": _customer,
    "category": _category,
    "regulated": _regulated,
}
