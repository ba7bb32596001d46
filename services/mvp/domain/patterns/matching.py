"""Products that bring two sides of a market together."""

from __future__ import annotations

import re
from typing import Final

from services.mvp.domain.model import (
    At,
    Behaviour,
    Criterion,
    Kit,
    Money,
    Ref,
    boolean,
    datetime,
    decimal,
    email,
    entity,
    enum,
    integer,
    ref,
    string,
    text,
)
from services.mvp.domain.patterns.appointments import schedule_behaviour
from services.mvp.domain.patterns.context import Context, Pattern, actor, any_of, head

_PAIR: Final = (
    r"\b(?:match\w*|connect\w*|pair\w*|link\w*|introduc\w+)\s+((?:[\w'’-]+\s+){1,5}?)"
    r"(?:with|to|and)\s+((?:[\w'’-]+\s*){1,5})"
)

_HELPERS: Final = "tutors?|walkers?|sitters?|experts?|freelancers?|mentors?|coaches|providers?"

_TOPICS: Final[list[tuple[str, tuple[str, tuple[str, ...], tuple[str, ...]]]]] = [
    (
        r"\b(tutor\w*|students?|teach\w*|lessons?|courses?|learn\w*|school\w*)\b",
        (
            "subjects",
            ("algebra, calculus", "chemistry", "essay writing, history"),
            ("algebra, geometry, calculus", "chemistry, biology", "history, essay writing", "calculus, physics"),
        ),
    ),
    (
        r"\b(freelanc\w*|developers?|designers?|experts?|consultants?|jobs?|talent|hire|hiring|recruit\w*)\b",
        (
            "skills",
            ("python, data pipelines", "brand design", "bookkeeping"),
            (
                "python, postgres, data pipelines",
                "brand design, illustration",
                "bookkeeping, tax",
                "python, machine learning",
            ),
        ),
    ),
    (
        r"\b(farm\w*|grow\w*|restaurants?|chefs?|food|produce)\b",
        (
            "products",
            ("tomatoes, basil", "eggs", "apples, cider"),
            ("tomatoes, peppers, basil", "eggs, honey", "apples, pears, cider", "lettuce, herbs"),
        ),
    ),
    (
        r"\b(pets?|dogs?|cats?|walk\w*|sitt\w+)\b",
        (
            "services",
            ("dog walking", "cat sitting", "grooming"),
            ("dog walking, dog training", "cat sitting", "grooming, dog walking", "cat sitting, home visits"),
        ),
    ),
]
_NEEDS: Final = (
    "services",
    ("delivery", "installation, repair", "inspection"),
    ("delivery, storage", "installation, repair", "inspection, maintenance", "repair"),
)

_ENGAGEMENTS: Final = [
    (r"\blessons?\b", "lesson"),
    (r"\bsessions?\b", "session"),
    (r"\b(gigs?|freelanc\w*|projects?)\b", "project"),
    (r"\bjobs?\b", "job"),
    (r"\bdeliver(?:y|ies)\b", "delivery"),
    (r"\brides?\b", "ride"),
    (r"\b(rentals?|stays?)\b", "rental"),
    (r"\borders?\b", "order"),
]
_GATES: Final = [
    (r"\bvett\w+", "vetted"),
    (r"\bverif\w+", "verified"),
    (r"\bcertif\w+", "certified"),
    (r"\blicen[cs]ed", "licensed"),
    (r"\b(trusted|background)", "approved"),
]


def matching(context: Context) -> Kit:
    """Two sides of a market, ranked matches with their reasons, and what both agree on."""
    seeker_phrase, provider_phrase = _sides(context)
    topics, wanted, offered = context.first(_TOPICS, _NEEDS)
    gate = context.first(_GATES, "approved")
    seeker = entity(
        seeker_phrase,
        [string("name"), email(), text(f"wanted_{topics}", required=True), decimal("budget_per_hour", required=False)],
    )
    provider = entity(
        provider_phrase,
        [
            string("name"),
            email(),
            text(topics, required=True),
            decimal("hourly_rate"),
            decimal("rating", required=False, maximum=5),
            boolean(gate),
            text("about"),
        ],
    )
    if provider.name == seeker.name:
        provider.name += "Partner"
        provider.phrase += " partner"
    people = ("Nadia Haddad", "Owen Clarke", "Priya Nair")
    seeker.seeds = [
        {"name": name, "email": _mail(name), f"wanted_{topics}": want, "budget_per_hour": Money(budget)}
        for name, want, budget in zip(people, wanted, ("35", "30", "40"), strict=True)
    ]
    hosts = ("Tomas Berg", "Aisha Bello", "Greta Lind", "Hugo Marin")
    provider.seeds = [
        {
            "name": name,
            "email": _mail(name),
            topics: offer,
            "hourly_rate": Money(rate),
            "rating": Money(stars),
            gate: checked,
        }
        for name, offer, rate, stars, checked in zip(
            hosts,
            offered,
            ("32", "28", "45", "22"),
            ("4.8", "4.5", "4.9", "4.1"),
            (True, True, True, False),
            strict=True,
        )
    ]
    deal = entity(
        context.first(_ENGAGEMENTS, "booking"),
        [
            ref(seeker),
            ref(provider),
            datetime("starts_at"),
            integer("minutes", minimum=5, maximum=720),
            enum("status", "requested", "confirmed", "completed", "cancelled"),
            text("notes"),
        ],
        label="starts_at",
    )
    deal.seeds = [
        {
            f"{seeker.snake}_id": Ref(seeker, 1),
            f"{provider.snake}_id": Ref(provider, 1),
            "starts_at": At(2, 17),
            "minutes": 60,
            "status": "confirmed",
        }
    ]
    kit = Kit([seeker, provider, deal])
    kit.behaviours.append(
        Behaviour(
            kind="match",
            feature=f"Match {seeker.many} with {provider.many}",
            answers=r"match|connect|pair|find|marketplace|recommend|vet|verif|trust|link",
            params={
                "seeker": seeker,
                "provider": provider,
                "deal": deal,
                "seeker_id": f"{seeker.snake}_id",
                "wanted": f"wanted_{topics}",
                "topics": topics,
                "gate": gate,
            },
            criteria=(
                Criterion(
                    "test_ranks_by_what_both_share",
                    f"Given {provider.many} who cover all, some and none of what {seeker.a} wants, when matches are "
                    "asked for, then the first covers all, the second some, and the third is left out.",
                ),
                Criterion(
                    f"test_offers_only_{gate}",
                    f"Given {provider.a} who is not {gate}, when matches are asked for, then they are not offered.",
                ),
                Criterion(
                    "test_keeps_to_the_budget",
                    f"Given {provider.a} above the budget of the {seeker.one}, when matches are asked for, "
                    "then they are not offered.",
                ),
                Criterion(
                    "test_gives_reasons",
                    f"Given a match, when it is shown, then it says which {topics} both share and what it costs.",
                ),
            ),
        )
    )
    kit.behaviours.append(schedule_behaviour(deal, f"{provider.snake}_id"))
    return kit


def _sides(context: Context) -> tuple[str, str]:
    found = re.search(_PAIR, context.text)
    if found:
        seeker, provider = head(found.group(1)), head(found.group(2))
        if seeker and provider:
            return seeker.split()[-1], provider.split()[-1]
    helper = re.search(rf"\b(?:find|book|hire)s? (?:\w+ ){{0,3}}({_HELPERS})\b", context.text)
    if helper:
        who = head(context.profile.audiences[0]) if context.profile.audiences else ""
        return who or "customer", head(helper.group(1))
    if context.says(r"\b(rent\w*|borrow\w*|lend\w*)\b"):
        return "renter", "lender"
    audiences = [noun for phrase in context.profile.audiences if (noun := actor(phrase, ""))]
    return (audiences[0] if audiences else "customer"), (audiences[1] if len(audiences) > 1 else "provider")


def _mail(name: str) -> str:
    return f"{name.split(maxsplit=1)[0].lower()}@example.com"


PATTERNS: Final = (
    Pattern(
        "matching",
        any_of(
            "marketplace",
            r"match(?:es|ing|maker|make)?(?! rate)",
            "pair(?:s|ing)",
            r"connects? [\w ,'’-]{3,60} (?:with|to|and)",
            rf"(?:find|book|hire|rent)s? (?:\w+ ){{0,3}}(?:{_HELPERS})",
            "two.sided",
        ),
        matching,
        unless=any_of("ai agents?", "api", "satellites?", "grid", "sensors?", "protocols?", "side.channel"),
        claims="appointments scoring search journal",
    ),
)
