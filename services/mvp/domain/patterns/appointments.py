"""Products about time with people: appointments without double booking, reminders, waitlists, no-shows."""

from __future__ import annotations

from typing import Final

from services.mvp.domain.model import (
    At,
    Behaviour,
    Criterion,
    Day,
    Entity,
    Kit,
    Ref,
    Seed,
    date,
    datetime,
    email,
    entity,
    enum,
    integer,
    ref,
    string,
    text,
)
from services.mvp.domain.patterns.context import Context, Pattern, any_of

_PEOPLE: Final = [
    (
        r"\b(clinics?|patients?|doctors?|dentists?|therap\w+|physio\w*|hospitals?|medical)\b",
        ("patient", "clinician", "appointment"),
    ),
    (r"\b(vets?|veterinar\w+|pets?|dogs?)\b", ("pet owner", "veterinarian", "appointment")),
    (r"\b(restaurants?|tables?|diners?)\b", ("guest", "table", "reservation")),
    (r"\b(salons?|barbers?|spas?|stylists?|hair\w*)\b", ("client", "stylist", "appointment")),
    (r"\b(tutors?|students?|lessons?|teachers?)\b", ("student", "tutor", "lesson")),
    (r"\b(gyms?|trainers?|class(?:es)?|yoga|fitness)\b", ("member", "trainer", "session")),
    (r"\b(cars?|garages?|mechanics?|repairs?)\b", ("customer", "mechanic", "appointment")),
    (r"\b(shifts?|rotas?|rosters?|staff|employees?)\b", ("employee", "site", "shift")),
    (r"\b(hotels?|rooms?|rentals?|stays?)\b", ("guest", "room", "reservation")),
]

_SAMPLE_PEOPLE: Final = [
    ("Amara Diallo", "amara@example.com", "+1 555 0101"),
    ("Jonas Weber", "jonas@example.com", "+1 555 0102"),
    ("Mei Tanaka", "mei@example.com", "+1 555 0103"),
    ("Luis Ortega", "luis@example.com", "+1 555 0104"),
]
_SAMPLE_PROVIDERS: Final = {
    "clinician": ("Dr. Rossi", "Dr. Haile"),
    "table": ("Table 4", "Table 7"),
    "room": ("Room 12", "Room 3"),
    "site": ("North site", "Harbour site"),
}


def appointments(context: Context) -> Kit:
    """People, their appointments without double booking, and where asked for reminders, waitlist, no-show figures."""
    person_phrase, provider, event_phrase = context.first(_PEOPLE, ("client", "staff member", "appointment"))
    person = entity(person_phrase, [string("name"), email(), string("phone", required=False)])
    person.seeds = [{"name": name, "email": mail, "phone": phone} for name, mail, phone in _SAMPLE_PEOPLE]
    with_field = provider.replace(" ", "_")
    event = entity(
        event_phrase,
        [
            ref(person),
            string(with_field),
            datetime("starts_at"),
            integer("minutes", minimum=5, maximum=720),
            enum("status", "scheduled", "confirmed", "completed", "cancelled", "no_show"),
            text("notes"),
        ],
        label="starts_at",
    )
    one, two = _SAMPLE_PROVIDERS.get(provider, ("Alex Moreau", "Sam Novak"))
    person_id = f"{person.snake}_id"

    def row(index: int, who: str, at: At, status: str = "scheduled") -> Seed:
        return {person_id: Ref(person, index), with_field: who, "starts_at": at, "minutes": 30, "status": status}

    event.seeds = [
        row(0, one, At(1, 9)),
        row(1, one, At(1, 9, 30), "confirmed"),
        row(2, two, At(1, 14)),
        row(1, two, At(3, 11)),
        row(0, one, At(-7, 9), "completed"),
        row(1, one, At(-6, 10), "completed"),
        row(2, two, At(-5, 15), "no_show"),
        row(0, two, At(-2, 16), "completed"),
    ]
    kit = Kit([person, event])
    kit.behaviours.append(schedule_behaviour(event, with_field))
    if context.says(r"no.?shows?|missed (?:appointment|visit|booking|reservation|lesson)s?"):
        kit.behaviours.append(_no_shows(person, event))
    if context.says(r"remind\w*|no.?shows?|notif\w+"):
        _reminders(kit, person, event)
    if context.says(r"wait.?list\w*|waiting list|cancel\w*|fill\w* (?:gaps|slots|openings)"):
        _waitlist(kit, person, event, with_field)
    return kit


def schedule_behaviour(event: Entity, with_field: str) -> Behaviour:
    """No double booking of `with_field`, and the free times of a day."""
    whom = with_field.removesuffix("_id").replace("_", " ")
    return Behaviour(
        kind="schedule",
        feature=f"Schedule {event.many} without conflict",
        answers=r"schedul|book|calendar|conflict|appointment|lesson|session|reserv|slot|availab",
        params={"event": event, "with_field": with_field, "whom": whom},
        criteria=(
            Criterion(
                "test_refuses_a_double_booking",
                f"Given {event.a} with a {whom} at 09:00 for 30 minutes, when another is booked with the same "
                f"{whom} at 09:15, then it is refused and the first stays as it was.",
            ),
            Criterion(
                "test_allows_back_to_back",
                f"Given {event.a} that ends at 09:30, when another is booked at 09:30, then it is accepted.",
            ),
            Criterion(
                "test_offers_free_times",
                f"Given {event.a} at 09:00, when the free times of that day are asked for, "
                "then 09:00 is not among them and 09:30 is.",
            ),
        ),
        guards=event,
    )


def _no_shows(person: Entity, event: Entity) -> Behaviour:
    return Behaviour(
        kind="no_shows",
        feature="Measure no-shows",
        answers=r"no.?show|missed|attend|reduc",
        params={"person": person, "event": event, "person_id": f"{person.snake}_id"},
        criteria=(
            Criterion(
                "test_measures_the_no_show_rate",
                f"Given three kept {event.many} and one missed, when the rate is asked for, then it is 25 %.",
            ),
            Criterion(
                "test_states_no_rate_without_history",
                f"Given no past {event.many}, when the rate is asked for, then none is stated.",
            ),
            Criterion(
                "test_ranks_who_is_likely_to_miss",
                f"Given {person.a} who missed before and one who never did, when coming {event.many} are ranked, "
                "then the one who missed comes first.",
            ),
        ),
    )


def _reminders(kit: Kit, person: Entity, event: Entity) -> None:
    reminder = entity(
        "reminder",
        [
            ref(event),
            enum("channel", "sms", "email"),
            text("message", required=True),
            datetime("queued_at"),
            enum("status", "queued", "delivered", "failed"),
        ],
        label="queued_at",
    )
    kit.entities.append(reminder)
    kit.behaviours.append(
        Behaviour(
            kind="remind",
            feature="Remind before the date",
            answers=r"remind|notif|alert|no.?show",
            params={
                "person": person,
                "event": event,
                "reminder": reminder,
                "person_id": f"{person.snake}_id",
                "event_id": f"{event.snake}_id",
            },
            criteria=(
                Criterion(
                    "test_reminds_within_the_lead_time",
                    f"Given {event.many} in 24 hours and in 5 days, when reminders are queued with 48 hours of "
                    f"lead, then exactly the {person.one} of the first is reminded.",
                ),
                Criterion(
                    "test_reminds_once",
                    "Given reminders that were queued, when they are queued again, then nobody is reminded twice.",
                ),
                Criterion(
                    "test_leaves_cancelled_alone",
                    f"Given a cancelled {event.one} in 24 hours, when reminders are queued, then none is made.",
                ),
            ),
        )
    )


def _waitlist(kit: Kit, person: Entity, event: Entity, with_field: str) -> None:
    entry = entity(
        "waitlist entry",
        [
            ref(person),
            date("earliest_on"),
            date("latest_on"),
            enum("urgency", "routine", "urgent"),
            datetime("added_at"),
            enum("status", "waiting", "booked", "withdrawn"),
        ],
        label="added_at",
    )
    person_id = f"{person.snake}_id"
    entry.seeds = [
        {
            person_id: Ref(person, 3),
            "earliest_on": Day(0),
            "latest_on": Day(10),
            "added_at": At(-6, 10),
            "urgency": "routine",
        },
        {
            person_id: Ref(person, 2),
            "earliest_on": Day(2),
            "latest_on": Day(14),
            "added_at": At(-3, 12),
            "urgency": "urgent",
        },
    ]
    kit.entities.append(entry)
    kit.behaviours.append(
        Behaviour(
            kind="waitlist",
            feature="Fill cancelled slots from the waitlist",
            answers=r"wait.?list|waiting|cancel|fill|gap",
            params={"person": person, "event": event, "entry": entry, "person_id": person_id, "with_field": with_field},
            criteria=(
                Criterion(
                    "test_cancelling_fills_the_slot_from_the_waitlist",
                    f"Given a booked {event.one} and {person.a} on the waitlist, when the {event.one} is cancelled, "
                    f"then the {person.one} who waited longest gets the slot and leaves the waitlist.",
                ),
                Criterion(
                    "test_urgent_goes_first",
                    "Given a routine entry and a newer urgent one, when a slot is free, then the urgent one gets it.",
                ),
                Criterion(
                    "test_respects_the_dates_wanted",
                    "Given an entry that wants another week, when a slot falls free, then it stays on the waitlist.",
                ),
            ),
        )
    )


_PLACES: Final = (
    "clinics?|patients?|staff|shifts?|class(?:es)?|salons?|practices?|gyms?|dentists?|appointments?|lessons?"
)

PATTERNS: Final = (
    Pattern(
        "appointments",
        any_of(
            "appointments?",
            "no.?shows?",
            "bookings?",
            "reservations?",
            "rotas?",
            "rosters?",
            r"wait.?lists?",
            rf"(?:{_PLACES}|visits?|meetings?)\s+schedul\w+",
            rf"schedul\w+ (?:tool |app |software |platform |system )?(?:for|of) (?:[\w-]+ ){{0,2}}(?:{_PLACES}|teams?)",
        ),
        appointments,
        unless=any_of("ai agents?", "jobs? queue", "kernel", "gpu"),
        claims="journal monitor",
    ),
)
