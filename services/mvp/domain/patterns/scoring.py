"""Products that compare, count and find: options by criteria, progress towards goals, a catalogue."""

from __future__ import annotations

from typing import Final

from services.mvp.domain.model import (
    Behaviour,
    Criterion,
    Day,
    Entity,
    Kit,
    Money,
    Ref,
    Seed,
    date,
    decimal,
    entity,
    enum,
    integer,
    ref,
    string,
    text,
)
from services.mvp.domain.patterns.context import Context, Pattern, any_of

_SUBJECTS: Final[list[tuple[str, tuple[str, tuple[str, ...], tuple[str, ...]]]]] = [
    (
        r"\b(ideas?|startups?|pitch\w*|ventures?)\b",
        (
            "idea",
            ("Problem clarity", "Audience reach", "Differentiation", "Feasibility"),
            ("Repair café finder", "Freight-pooling exchange", "Sleep coach for nurses"),
        ),
    ),
    (
        r"\b(candidates?|applicants?|résumés?|resumes?|hiring|recruit\w*|interview\w*)\b",
        (
            "candidate",
            ("Relevant experience", "Skills test", "Communication", "Availability"),
            ("Candidate A-104", "Candidate A-117", "Candidate A-121"),
        ),
    ),
    (
        r"\b(leads?|prospects?)\b",
        ("lead", ("Need", "Budget", "Authority", "Timing"), ("Northwind Ltd", "Lakeside Clinic", "Orchard Foods")),
    ),
    (
        r"\b(suppliers?|vendors?)\b",
        (
            "supplier",
            ("Price", "Delivery reliability", "Quality", "Compliance"),
            ("Alder Components", "Basalt Metals", "Cobalt Freight"),
        ),
    ),
    (
        r"\b(essays?|homework|assignments?|exams?)\b",
        ("assignment", ("Argument", "Evidence", "Structure", "Language"), ("Essay 1", "Essay 2", "Essay 3")),
    ),
    (
        r"\b(propert(?:y|ies)|apartments?|houses?|homes?)\b",
        (
            "property",
            ("Location", "Condition", "Price", "Transport"),
            ("14 Mill Lane", "3 Quay Street", "27 Hill Road"),
        ),
    ),
    (
        r"\b(materials?|electrolytes?|molecules?|proteins?|enzymes?|compounds?)\b",
        ("material candidate", ("Stability", "Performance", "Cost to make", "Safety"), ("MC-011", "MC-027", "MC-035")),
    ),
    (
        r"\b(circuits?|dna|plasmids?|genetic|cell therap\w+)\b",
        (
            "design candidate",
            ("Yield", "Specificity", "Off-target risk", "Cost to make"),
            ("GC-03", "GC-08", "GC-12"),
        ),
    ),
    (
        r"\b(models?|llms?|prompts?)\b",
        ("model version", ("Accuracy", "Latency", "Cost", "Safety"), ("v1 baseline", "v2 distilled", "v3 tuned")),
    ),
    (
        r"\b(projects?|proposals?|grants?)\b",
        ("proposal", ("Impact", "Feasibility", "Team", "Cost"), ("Proposal 12", "Proposal 15", "Proposal 19")),
    ),
]


def scoring(context: Context) -> Kit:
    """Options rated by weighted criteria, ranked with reasons; what has no basis is not scored."""
    subject_phrase, criteria, names = context.first_in_focus(
        _SUBJECTS, ("option", ("Impact", "Effort", "Confidence"), ())
    )
    subject = entity(
        subject_phrase,
        [string("title"), text("description"), enum("status", "open", "pursued", "dropped"), date("added_on")],
    )
    criterion = entity("criterion", [string("name"), integer("weight", minimum=1, maximum=10), text("question")])
    rating = entity(
        "rating",
        [ref(subject), ref(criterion), integer("score", minimum=1, maximum=5), text("basis", required=True)],
        label="score",
    )
    source = entity(
        "evidence source",
        [
            ref(subject),
            enum("stance", "supports", "contradicts"),
            text("quote", required=True),
            string("address", required=False),
        ],
        label="quote",
    )
    subject_id = f"{subject.snake}_id"
    subject.seeds = [{"title": name, "added_on": Day(-3 * index - 1)} for index, name in enumerate(names)]
    criterion.seeds = [{"name": name, "weight": weight} for name, weight in zip(criteria, (5, 4, 3, 2), strict=False)]
    scores = [(0, 0, 4), (0, 1, 3), (0, 2, 2), (0, 3, 4), (1, 0, 5), (1, 1, 4), (1, 3, 3), (2, 0, 3)]
    rating.seeds = [
        {
            subject_id: Ref(subject, s),
            f"{criterion.snake}_id": Ref(criterion, c),
            "score": points,
            "basis": "Sample rating for the demonstration",
        }
        for s, c, points in scores
        if s < len(names) and c < len(criteria)
    ]
    if names:
        source.seeds = [
            {
                subject_id: Ref(subject, 0),
                "stance": "supports",
                "quote": "Sample note: two of five people asked would use it weekly",
            },
            {
                subject_id: Ref(subject, 0),
                "stance": "contradicts",
                "quote": "Sample note: three of five found a free way already",
            },
            {
                subject_id: Ref(subject, 1),
                "stance": "supports",
                "quote": "Sample note: a pilot partner signed a letter of intent",
            },
        ]
    return Kit(
        [subject, criterion, rating, source],
        [
            Behaviour(
                kind="score",
                feature=f"Rank {subject.many} by weighted criteria",
                answers=r"validat|scor|rank|evaluat|assess|prioriti|grad|compar|analy|evidence|verdict|benchmark|rat(?:e|ing)",
                params={
                    "subject": subject,
                    "criterion": criterion,
                    "rating": rating,
                    "source": source,
                    "subject_id": subject_id,
                    "criterion_id": f"{criterion.snake}_id",
                },
                criteria=(
                    Criterion(
                        "test_ranks_by_weighted_score",
                        f"Given two {subject.many} rated on criteria of weight 3 and 1, when the ranking is asked "
                        "for, then the weighted mean decides the order.",
                    ),
                    Criterion(
                        "test_scores_nothing_without_a_basis",
                        f"Given {subject.a} rated on less than half of the weights, when the ranking is asked for, "
                        "then it is listed as not scored.",
                    ),
                    Criterion(
                        "test_shows_what_contradicts",
                        f"Given {subject.a} with one source for and two against, when the ranking is asked for, "
                        "then both counts stand beside its score.",
                    ),
                    Criterion(
                        "test_names_the_weakest_criterion",
                        f"Given {subject.a} with ratings, when the ranking is asked for, "
                        "then the criterion to improve first is named.",
                    ),
                ),
            )
        ],
    )


def journal(context: Context) -> Kit:
    """Goals with a weekly target and a log of what was done, with this week's progress and the streak of days."""
    activity = context.first(
        [
            (r"\b(workouts?|exercis\w+|fitness|gym)\b", ("workout", "minutes", 150)),
            (r"\b(calori\w+|meals?|nutrition|diet)\b", ("meal log", "kcal", 14000)),
            (r"\b(carbon|footprint|emissions?)\b", ("trip", "kg CO2", 40)),
            (r"\b(spend\w*|budget\w*|expenses?|savings?)\b", ("expense", "USD", 300)),
            (r"\b(sleep)\b", ("night", "hours", 56)),
            (r"\b(read\w*|books?|study\w*|learn\w*|languages?)\b", ("study session", "minutes", 210)),
            (r"\b(water|hydrat\w+)\b", ("drink", "ml", 14000)),
        ],
        ("activity", "minutes", 120),
    )
    phrase, unit, target = activity
    goal = entity("goal", [string("name"), string("unit"), integer("weekly_target", minimum=1)])
    entry = entity(phrase, [ref(goal), date("logged_on"), decimal("amount"), text("notes")], label="logged_on")
    goal.seeds = [{"name": f"Weekly {entry.many}", "unit": unit, "weekly_target": target}]
    share = max(target // 7, 1)
    entry.seeds = [
        {"goal_id": Ref(goal, 0), "logged_on": Day(-offset), "amount": Money(str(share))} for offset in (0, 1, 2, 5, 8)
    ]
    return Kit(
        [goal, entry],
        [
            Behaviour(
                kind="progress",
                feature="See progress towards weekly goals",
                answers=r"track|log|habit|goal|progress|budget|streak|measure|footprint",
                params={"goal": goal, "entry": entry},
                criteria=(
                    Criterion(
                        "test_sums_the_last_seven_days",
                        f"Given {entry.many} today, three days ago and nine days ago, when progress is asked for, "
                        "then the first two count towards this week.",
                    ),
                    Criterion(
                        "test_counts_the_streak",
                        f"Given {entry.many} on three days in a row up to today, when progress is asked for, "
                        "then the streak is three days.",
                    ),
                ),
            )
        ],
    )


def catalogue(context: Context) -> Kit:
    """A catalogue that is searched by words, with the best match first."""
    phrase = context.noun(context.profile.entities, "resource")
    thing: Entity = entity(
        phrase,
        [
            string("title"),
            text("summary", required=True),
            string("tags", required=False),
            string("address", required=False),
        ],
        fallback="resource",
    )
    thing.seeds = list[Seed]()
    return Kit(
        [thing],
        [
            Behaviour(
                kind="search",
                feature=f"Search {thing.many}",
                answers=r"search|find|discover|librar|catalog|director|archive|look|brows|retriev",
                params={"thing": thing},
                criteria=(
                    Criterion(
                        "test_ranks_titles_above_summaries",
                        f"Given {thing.a} with the word in its title and one with it in its summary, when the word "
                        "is searched for, then the title comes first.",
                    ),
                    Criterion(
                        "test_finds_nothing_without_a_match",
                        f"Given {thing.many}, when a word that none has is searched for, then nothing is found.",
                    ),
                ),
            )
        ],
    )


_SUBSTANCES: Final = "materials?|proteins?|enzymes?|electrolytes?|molecules?|circuits?"

PATTERNS: Final = (
    Pattern(
        "scoring",
        any_of(
            r"validat\w+",
            "scor(?:e|es|ing)",
            "rank(?:s|ing)?",
            r"evaluat\w+",
            r"assess\w*",
            r"prioriti[sz]\w+",
            "grad(?:e|es|ing)",
            "due diligence",
            "screen(?:s|ing)? (?:candidates|applicants|resumes)",
            rf"(?:discovery|design) of (?:\w+[ -]){{0,3}}(?:{_SUBSTANCES})",
            rf"designing new (?:\w+ ){{0,2}}(?:{_SUBSTANCES})",
            "drug discovery",
            r"dna sequences?",
        ),
        scoring,
        unless=any_of("deterministic confidence scores?"),
        claims="search journal",
    ),
    Pattern(
        "journal",
        any_of(
            "habits?",
            "workouts?",
            r"calori\w+",
            r"(?:carbon|footprint|spending|calorie|sleep|mood|water|expense) track\w+",
            "streaks?",
            "log(?:s|ging)? (?:your|their|meals|workouts)",
            "track(?:s|ing)? (?:their|your|spending|sleep|exercise|expenses|meals|habits|water)",
        ),
        journal,
        unless=any_of("b2b", "ai agents?", "api", "conversation"),
    ),
    Pattern(
        "search",
        any_of(
            "search engine",
            "knowledge base",
            "librar(?:y|ies) of",
            "directory of",
            "catalog(?:ue)?s?",
            "archives?",
            "knowledge graphs?",
            r"(?:semantic|similarity|vector \w+) search",
            r"search(?:es|ing)? (?:\w+ ){0,2}(?:documents?|law|papers?|contracts?|records?)",
        ),
        catalogue,
    ),
)
