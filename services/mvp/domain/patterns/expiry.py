"""Products about things that run out: expiry dates, renewals, and what to do before the date."""

from __future__ import annotations

import re
from typing import Final

from services.mvp.domain.model import (
    Behaviour,
    Criterion,
    Day,
    Entity,
    FieldDraft,
    Kit,
    Money,
    Seed,
    date,
    decimal,
    entity,
    enum,
    integer,
    string,
    text,
)
from services.mvp.domain.patterns.context import Context, Pattern, any_of, head

_SHELVES: Final[list[tuple[str, tuple[str, list[FieldDraft], tuple[str, str, str], list[Seed]]]]] = [
    (
        r"\b(food|grocer\w*|pantry|fridge|meals?|kitchen|leftovers?)\b",
        (
            "pantry item",
            [
                decimal("quantity", required=False),
                string("unit", required=False),
                enum("location", "fridge", "freezer", "cupboard"),
            ],
            ("in_stock", "used", "wasted"),
            [
                {
                    "name": "Baby spinach",
                    "quantity": Money("200"),
                    "unit": "g",
                    "expires_on": Day(1),
                    "location": "fridge",
                },
                {
                    "name": "Greek yoghurt",
                    "quantity": Money("500"),
                    "unit": "g",
                    "expires_on": Day(3),
                    "location": "fridge",
                },
                {
                    "name": "Chicken thighs",
                    "quantity": Money("4"),
                    "unit": "pieces",
                    "expires_on": Day(0),
                    "location": "fridge",
                },
                {
                    "name": "Tomatoes",
                    "quantity": Money("6"),
                    "unit": "pieces",
                    "expires_on": Day(4),
                    "location": "fridge",
                },
                {"name": "Eggs", "quantity": Money("8"), "unit": "pieces", "expires_on": Day(9), "location": "fridge"},
                {
                    "name": "Chickpeas",
                    "quantity": Money("2"),
                    "unit": "tins",
                    "expires_on": Day(320),
                    "location": "cupboard",
                },
                {"name": "Milk", "quantity": Money("1"), "unit": "l", "expires_on": Day(-1), "location": "fridge"},
                {
                    "name": "Bananas",
                    "quantity": Money("3"),
                    "unit": "pieces",
                    "expires_on": Day(-4),
                    "location": "cupboard",
                    "status": "wasted",
                },
                {
                    "name": "Feta",
                    "quantity": Money("200"),
                    "unit": "g",
                    "expires_on": Day(-2),
                    "location": "fridge",
                    "status": "used",
                },
                {
                    "name": "Courgettes",
                    "quantity": Money("2"),
                    "unit": "pieces",
                    "expires_on": Day(-3),
                    "location": "fridge",
                    "status": "used",
                },
            ],
        ),
    ),
    (
        r"\b(medicines?|medications?|drugs?|vaccines?|pharmac\w*)\b",
        (
            "medication",
            [integer("packs", required=False), string("storage", required=False)],
            ("in_stock", "used", "discarded"),
            [
                {"name": "Amoxicillin 500 mg", "packs": 12, "expires_on": Day(6), "storage": "Cabinet A"},
                {"name": "Insulin glargine", "packs": 4, "expires_on": Day(2), "storage": "Refrigerator 1"},
                {"name": "Ibuprofen 400 mg", "packs": 30, "expires_on": Day(210), "storage": "Cabinet B"},
            ],
        ),
    ),
    (
        r"\bcontracts?\b",
        (
            "contract",
            [string("counterparty"), decimal("yearly_value", required=False)],
            ("active", "renewed", "lapsed"),
            [
                {
                    "name": "Office lease",
                    "counterparty": "Harbour Estates",
                    "yearly_value": Money("48000"),
                    "expires_on": Day(5),
                },
                {
                    "name": "Support agreement",
                    "counterparty": "Northwind IT",
                    "yearly_value": Money("9600"),
                    "expires_on": Day(41),
                },
            ],
        ),
    ),
    (
        r"\b(certificat\w+|licen[cs]es?|permits?|accreditations?)\b",
        (
            "certificate",
            [string("holder"), string("issuer", required=False)],
            ("valid", "renewed", "lapsed"),
            [
                {"name": "Forklift licence", "holder": "R. Okafor", "issuer": "Safety board", "expires_on": Day(4)},
                {
                    "name": "First-aid certificate",
                    "holder": "M. Lindqvist",
                    "issuer": "Red Cross",
                    "expires_on": Day(60),
                },
            ],
        ),
    ),
    (
        r"\b(subscriptions?|memberships?)\b",
        (
            "subscription",
            [decimal("monthly_price", required=False)],
            ("active", "renewed", "cancelled"),
            [
                {"name": "Design suite", "monthly_price": Money("59.99"), "expires_on": Day(3)},
                {"name": "Streaming bundle", "monthly_price": Money("17.99"), "expires_on": Day(19)},
            ],
        ),
    ),
    (
        r"\b(inventor\w+|stock|warehouses?|perishables?|batch\w*|shelf[- ]life)\b",
        (
            "stock lot",
            [integer("quantity"), string("location", required=False)],
            ("in_stock", "sold", "written_off"),
            [
                {"name": "Lot 2041", "quantity": 120, "location": "Aisle 3", "expires_on": Day(5)},
                {"name": "Lot 1988", "quantity": 36, "location": "Aisle 1", "expires_on": Day(-2)},
            ],
        ),
    ),
]

_RECIPES: Final[list[Seed]] = [
    {
        "title": "Spinach and chickpea curry",
        "ingredients": "spinach, chickpeas, tomatoes, coconut milk, curry paste",
        "minutes": 25,
    },
    {"title": "Shakshuka", "ingredients": "eggs, tomatoes, onion, feta, paprika", "minutes": 30},
    {
        "title": "Yoghurt-marinated chicken",
        "ingredients": "chicken thighs, greek yoghurt, lemon, garlic",
        "minutes": 40,
    },
    {"title": "Lentil soup", "ingredients": "lentils, carrots, onion, stock", "minutes": 35},
]


def expiry(context: Context) -> Kit:
    """Something with an expiry date, the list of what runs out next and, where asked for, what to do with it."""
    thing = head(_before(context.text, r"(?:expir\w+|renewal)\s+dates?")) or "deadline"
    default: tuple[str, list[FieldDraft], tuple[str, str, str], list[Seed]] = (
        "pantry item" if context.profile.category == "food" else thing,
        [],
        ("open", "settled", "missed"),
        [],
    )
    phrase, extra, statuses, seeds = context.first(_SHELVES, default)
    stored = entity(
        phrase,
        [string("name"), *extra, date("expires_on"), enum("status", *statuses), text("notes")],
        fallback="deadline",
    )
    stored.seeds = seeds
    active, good, bad = statuses
    kit = Kit([stored])
    kit.behaviours.append(
        Behaviour(
            kind="expiry",
            feature="Track expiry dates",
            answers=r"expir|best.before|use.by|spoil|wast|date|track|renew|deadline|remind",
            params={"item": stored, "active": active, "good": good, "bad": bad},
            criteria=(
                Criterion(
                    "test_lists_what_expires_soonest_first",
                    f"Given {stored.many} that expire in 5, 1 and 40 days, when the next 7 days are asked for, "
                    "then the two that expire in time are listed, the soonest first.",
                ),
                Criterion(
                    "test_leaves_out_what_is_settled",
                    f"Given {stored.a} marked {good.replace('_', ' ')}, when the expiring ones are asked for, "
                    "then it is not among them.",
                ),
                Criterion(
                    "test_measures_the_share_lost",
                    f"Given three {stored.many} marked {good.replace('_', ' ')} and one {bad.replace('_', ' ')}, "
                    f"when the outcome is asked for, then 25 % count as {bad.replace('_', ' ')}.",
                ),
            ),
        )
    )
    if context.says(r"\b(suggest\w*|recommend\w*|propos\w+|recipes?)\b"):
        _suggest(context, kit, stored, active)
    return kit


def _suggest(context: Context, kit: Kit, stored: Entity, active: str) -> None:
    food = stored.phrase == "pantry item"
    wanted = "recipe" if food else head(_after(context.text, r"(?:suggest\w*|recommend\w*)")) or "recommendation"
    target = entity(
        wanted,
        [
            string("title"),
            text("ingredients" if food else "needs", required=True),
            integer("minutes", required=False),
            text("steps"),
        ],
        fallback="recommendation",
    )
    if target.name == stored.name:
        return
    target.seeds = _RECIPES if food else []
    kit.entities.append(target)
    kit.behaviours.append(
        Behaviour(
            kind="suggest",
            feature=f"Suggest {target.many}",
            answers=r"suggest|recommend|propos|recipe|idea",
            params={"target": target, "item": stored, "needs": "ingredients" if food else "needs", "active": active},
            criteria=(
                Criterion(
                    "test_suggests_what_uses_the_most_urgent_first",
                    f"Given {target.many} that need different {stored.many}, when suggestions are asked for, "
                    "then the one that uses what expires soonest comes first and names what it uses.",
                ),
                Criterion(
                    "test_names_what_is_missing",
                    f"Given {target.a} that needs more than is there, when suggestions are asked for, "
                    "then what is missing is named.",
                ),
                Criterion(
                    "test_suggests_nothing_without_an_overlap",
                    f"Given {target.a} that uses nothing that is there, when suggestions are asked for, "
                    "then it is not suggested.",
                ),
            ),
        )
    )


def _before(source: str, pattern: str) -> str:
    found = re.search(rf"((?:[\w-]+\s+){{1,3}}){pattern}", source)
    return found.group(1) if found else ""


def _after(source: str, pattern: str) -> str:
    found = re.search(rf"{pattern}\s+((?:[\w-]+\s*){{1,3}})", source)
    return found.group(1) if found else ""


PATTERNS: Final = (
    Pattern(
        "expiry",
        any_of(
            r"expir\w+",
            "best.before",
            "use.by",
            "shelf.life",
            r"spoil\w*",
            "food waste",
            "waste less food",
            "renewals?",
            r"perishable\w*",
        ),
        expiry,
        unless=any_of("tokens?", r"certificates? authorit\w+", "prompts?", "nuclear"),
        claims="journal search monitor",
    ),
)
