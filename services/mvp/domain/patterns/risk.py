"""Products that watch: documents that may be wrong, assets that leave their limits, requests that need a decision."""

from __future__ import annotations

from typing import Final

from services.mvp.domain.model import (
    At,
    Behaviour,
    Criterion,
    Day,
    FieldDraft,
    Kit,
    Money,
    Ref,
    Seed,
    boolean,
    date,
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
from services.mvp.domain.patterns.context import Context, Pattern, last_noun

_PAPERS: Final = [
    (r"\binvoices?\b", ("invoice", "vendor", "bank_account")),
    (r"\bclaims?\b(?=.*insur)|\binsurance claims?\b", ("claim", "claimant", "payout_account")),
    (r"\bexpenses?\b", ("expense claim", "employee", "payout_account")),
    (r"\bcarbon|credits?\b(?=.*carbon)", ("carbon credit", "project", "registry_account")),
    (r"\brefunds?\b", ("refund", "customer", "payout_account")),
    (r"\borders?\b", ("order", "customer", "payment_card")),
    (r"\breceipts?\b", ("receipt", "merchant", "payout_account")),
    (r"\bpayments?\b", ("payment", "payee", "bank_account")),
]


def fraud(context: Context) -> Kit:
    """Documents checked for duplicates and anomalies before money moves."""
    paper_phrase, party_phrase, account = context.first(_PAPERS, ("transaction", "counterparty", "account"))
    party = entity(
        party_phrase, [string("name"), string(account, required=False), email(), date("known_since", required=False)]
    )
    paper = entity(
        paper_phrase,
        [
            ref(party),
            string("number"),
            decimal("amount"),
            date("issued_on"),
            string(account, required=False),
            enum("status", "received", "approved", "paid", "rejected"),
            text("notes"),
        ],
        label="number",
    )
    party.seeds = [
        {
            "name": "Brightline Logistics",
            account: "DE89 3704 0044 0532 0130 00",
            "email": "billing@brightline.example",
            "known_since": Day(-900),
        },
        {"name": "Kestrel Office Supplies", account: "FR14 2004 1010 0505 0001 3M02", "known_since": Day(-400)},
        {"name": "Orbit Consulting", account: "GB29 NWBK 6016 1331 9268 19", "known_since": Day(-20)},
    ]
    party_id = f"{party.snake}_id"

    def row(index: int, number: str, amount: str, day: int, status: str, where: str = "") -> Seed:
        known = str(party.seeds[index][account])
        return {
            party_id: Ref(party, index),
            "number": number,
            "amount": Money(amount),
            "issued_on": Day(day),
            account: where or known,
            "status": status,
        }

    paper.seeds = [
        row(0, "BL-2041", "1840.00", -120, "paid"),
        row(0, "BL-2077", "1795.50", -90, "paid"),
        row(0, "BL-2103", "1902.00", -60, "paid"),
        row(0, "BL-2144", "1820.00", -30, "paid"),
        row(0, "BL-2180", "9480.00", -2, "received"),
        row(1, "K-778", "264.90", -12, "approved"),
        row(1, "K 778", "264.90", -1, "received"),
        row(2, "OC-001", "4200.00", -1, "received", "LT12 1000 0111 0100 1000"),
    ]
    shared = {"party": party, "paper": paper, "party_id": party_id, "account": account}
    return Kit(
        [party, paper],
        [
            Behaviour(
                kind="duplicates",
                feature=f"Flag duplicate {paper.one} numbers",
                answers=r"duplicat|double|fraud|flag|detect|check|anomal",
                params=shared,
                criteria=(
                    Criterion(
                        "test_flags_the_same_number_written_differently",
                        f"Given two {paper.many} of one {party.one} with the numbers INV-0042 and inv 42, when "
                        "duplicates are asked for, then the pair is flagged with its reason.",
                    ),
                    Criterion(
                        "test_flags_the_same_amount_within_days",
                        f"Given two {paper.many} of one {party.one} over the same amount ten days apart, when "
                        "duplicates are asked for, then the pair is flagged.",
                    ),
                    Criterion(
                        "test_leaves_other_parties_alone",
                        f"Given the same number from two different {party.many}, when duplicates are asked for, "
                        "then nothing is flagged.",
                    ),
                ),
            ),
            Behaviour(
                kind="anomalies",
                feature=f"Hold suspicious {paper.many} before they are paid",
                answers=r"fraud|anomal|suspicious|detect|hold|flag|risk|before|pay|review|protect|catch|score",
                params=shared,
                criteria=(
                    Criterion(
                        "test_flags_an_amount_far_above_the_usual",
                        f"Given {party.a} whose {paper.many} are near 1,000, when one over 9,000 comes in, "
                        "then it is flagged with the usual amount as the reason.",
                    ),
                    Criterion(
                        "test_flags_a_changed_account",
                        f"Given {paper.a} with another {account.replace('_', ' ')} than the {party.one} has on file, "
                        "when findings are asked for, then it is flagged.",
                    ),
                    Criterion(
                        "test_refuses_to_pay_what_is_flagged",
                        f"Given a flagged {paper.one} that nobody approved, when it is marked paid, "
                        "then it is refused with the findings.",
                    ),
                    Criterion(
                        "test_pays_what_a_person_approved",
                        f"Given a flagged {paper.one} that a person approved, when it is marked paid, then it is accepted.",
                    ),
                ),
                guards=paper,
            ),
        ],
    )


_Limit = tuple[str, str, str | None, str | None, str, str]
"""Metric, unit, lowest, highest, what to do below, what to do above."""

_MONITORS: Final[list[tuple[str, tuple[str, tuple[str, ...], list[_Limit], tuple[str, ...]]]]] = [
    (
        r"\b(farm\w*|crops?|growers?|irrigat\w*|orchards?|vineyards?|soil)\b",
        (
            "farm field",
            ("crop", "hectares"),
            [
                ("soil moisture", "%", "25", "60", "Irrigate", "Drain"),
                ("pest pressure", "index", None, "40", "", "Spray"),
                ("canopy vigour", "NDVI x 100", "45", None, "Walk the field", ""),
            ],
            ("North slope", "River meadow", "Mill acre"),
        ),
    ),
    (
        r"\bbioreactors?|bioproduct\w*|ferment\w*|cell cultures?",
        (
            "bioreactor",
            (),
            [
                ("dissolved oxygen", "%", "30", "60", "Raise aeration", "Lower aeration"),
                ("shear stress", "Pa", None, "2", "", "Slow the impeller"),
            ],
            ("BR-1 (1 l)", "BR-7 (200 l)"),
        ),
    ),
    (
        r"\b(plasma|fusion|tokamak)\b",
        (
            "plasma shot",
            (),
            [
                ("mode amplitude", "mT", None, "3", "", "Trigger mitigation"),
                ("beta", "%", None, "4", "", "Lower heating power"),
            ],
            ("Shot 48120", "Shot 48121"),
        ),
    ),
    (
        r"\b(agents?|llms?)\b",
        (
            "agent",
            ("owner",),
            [
                ("repeated calls", "per minute", None, "30", "", "Pause the agent"),
                ("token spend", "USD per hour", None, "20", "", "Cap the budget"),
                ("idle time", "hours", None, "24", "", "Suspend the agent"),
            ],
            ("invoice-router", "support-triage", "nightly-crawler"),
        ),
    ),
    (
        r"\b(wind farms?|turbines?)\b",
        (
            "turbine",
            (),
            [
                ("wake loss", "%", None, "12", "", "Yaw out of the wake"),
                ("gearbox temperature", "°C", None, "80", "", "Inspect the gearbox"),
            ],
            ("T-01", "T-14"),
        ),
    ),
    (
        r"\b(solid.state|electrolytes?|cathodes?)\b",
        (
            "battery cell",
            (),
            [
                ("interface resistance", "ohm", None, "60", "", "Stop cycling and inspect"),
                ("capacity", "%", "80", None, "Retire the cell", ""),
            ],
            ("Cell S-12", "Cell S-15"),
        ),
    ),
    (
        r"\b(grids?|transmission|microgrids?|electricity|power network|inertia)\b",
        (
            "grid node",
            (),
            [
                ("frequency", "Hz", "49.8", "50.2", "Release reserve", "Absorb surplus"),
                ("line load", "%", None, "90", "", "Redispatch"),
            ],
            ("Substation East", "Substation Harbour"),
        ),
    ),
    (
        r"\bbatter(?:y|ies)\b",
        (
            "battery",
            (),
            [
                ("state of health", "%", "80", None, "Plan a replacement", ""),
                ("cell temperature", "°C", None, "45", "", "Reduce the load"),
            ],
            ("Pack 3", "Pack 9"),
        ),
    ),
    (
        r"\b(satellites?|constellations?|orbit\w*|leo)\b",
        (
            "satellite link",
            (),
            [
                ("signal margin", "dB", "3", None, "Reroute traffic", ""),
                ("latency", "ms", None, "120", "", "Choose another hop"),
            ],
            ("SAT-11 / SAT-12", "SAT-12 / GW-3"),
        ),
    ),
    (
        r"\b(carbon|co2|sequestrat\w*|geolog\w*|subsoil|geotherm\w*|wells?)\b",
        (
            "storage site",
            (),
            [
                ("reservoir pressure", "bar", None, "180", "", "Lower the injection rate"),
                ("surface CO2", "ppm", None, "450", "", "Search for a leak"),
            ],
            ("Basin A", "Basin C"),
        ),
    ),
    (
        r"\b(semiconductor\w*|foundr\w+|chips?|wafers?|fabs?)\b",
        (
            "wafer lot",
            (),
            [
                ("defect density", "per cm²", None, "0.5", "", "Hold the lot"),
                ("yield", "%", "85", None, "Review the process step", ""),
            ],
            ("Lot 7A", "Lot 7B"),
        ),
    ),
    (
        r"\b(drones?|evtols?|uavs?)\b",
        (
            "drone",
            (),
            [
                ("battery", "%", "25", None, "Return to base", ""),
                ("position error", "m", None, "5", "", "Switch navigation source"),
            ],
            ("D-04", "D-09"),
        ),
    ),
    (
        r"\b(robots?|robotic\w*|arms?|humanoid\w*)\b",
        (
            "robot",
            (),
            [
                ("grip force error", "%", None, "15", "", "Recalibrate"),
                ("latency", "ms", None, "200", "", "Switch to assisted mode"),
            ],
            ("Arm 2", "Arm 5"),
        ),
    ),
    (
        r"\b(vehicles?|fleets?|cars?|trucks?|robotaxis?)\b",
        (
            "vehicle",
            (),
            [
                ("stopped time", "minutes", None, "5", "", "Send assistance"),
                ("sensor coverage", "%", "70", None, "Slow down", ""),
            ],
            ("Unit 7", "Unit 12"),
        ),
    ),
    (
        r"\b(plc\w*|scada|ot environment|industrial control|ot/ics|operational networks?)\b",
        (
            "controller",
            (),
            [
                ("unexpected writes", "per hour", None, "0", "", "Block the session"),
                ("firmware age", "months", None, "24", "", "Plan the update"),
            ],
            ("PLC line 1", "PLC line 4"),
        ),
    ),
    (
        r"\b(patients?|medical|clinic\w*|health)\b",
        (
            "patient",
            ("phone",),
            [
                ("heart rate", "bpm", "50", "110", "Call the patient", "Call the patient"),
                ("oxygen saturation", "%", "93", None, "Escalate to the clinician", ""),
            ],
            ("Patient 101", "Patient 102"),
        ),
    ),
    (
        r"\b(machines?|factor(?:y|ies)|plants?|manufactur\w*|maintenance)\b",
        (
            "machine",
            (),
            [
                ("vibration", "mm/s", None, "7", "", "Stop and inspect"),
                ("temperature", "°C", None, "75", "", "Check the cooling"),
            ],
            ("Press 2", "Lathe 5"),
        ),
    ),
    (
        r"\b(networks?|servers?|traffic|devices?|encrypt\w*|cryptograph\w*)\b",
        (
            "device",
            (),
            [
                ("failed logins", "per hour", None, "10", "", "Lock the account"),
                ("legacy ciphers", "in use", None, "0", "", "Plan the migration"),
            ],
            ("gw-ams-1", "db-core-2"),
        ),
    ),
    (
        r"\b(homes?|houses?|buildings?|energy|heating)\b",
        (
            "building",
            (),
            [
                ("energy use", "kWh per day", None, "40", "", "Check the heating"),
                ("humidity", "%", "30", "60", "Humidify", "Ventilate"),
            ],
            ("House 3", "Block B"),
        ),
    ),
]

_DEFAULT_LIMITS: Final[list[_Limit]] = [
    ("error rate", "%", None, "5", "", "Investigate"),
    ("response time", "s", None, "2", "", "Add capacity"),
]


def monitor(context: Context) -> Kit:
    """Assets, their readings and limits; what is out of limits comes with what to do, the worst first."""
    noun = last_noun(context.profile.entities[0]) if context.profile.entities else ""
    row = context.first(_MONITORS, (noun or "site", (), _DEFAULT_LIMITS, ("Site 1", "Site 2")))
    phrase, extras, limits, names = row
    extra_fields: list[FieldDraft] = [
        decimal(name, required=False) if name == "hectares" else string(name, required=False) for name in extras
    ]
    asset = entity(
        phrase, [string("name"), *extra_fields, string("location", required=False), text("notes")], fallback="site"
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
            "metric": metric,
            "unit": unit,
            "lowest": _money(low),
            "highest": _money(high),
            "action_below": below,
            "action_above": above,
        }
        for metric, unit, low, high, below, above in limits
    ]
    asset_id = f"{asset.snake}_id"
    reading.seeds = [
        {
            asset_id: Ref(asset, index),
            "metric": metric,
            "measured": Money(measured),
            "taken_at": At(-(index % 2), 7 + position),
        }
        for index in range(len(names))
        for position, (metric, _unit, low, high, _below, _above) in enumerate(limits)
        for measured in [_sample(low, high, out=(index + position) % 2 == 0)]
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
                        f"Given two {asset.many} out of limits, when alerts are asked for, then the one further out comes first.",
                    ),
                    Criterion(
                        "test_only_the_latest_counts",
                        f"Given {asset.a} that was out of limits and is back within, when alerts are asked for, then it is not listed.",
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


def _asset_seed(name: str, index: int, extras: tuple[str, ...]) -> Seed:
    samples = {
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


def policy(context: Context) -> Kit:
    """Requests decided by ordered rules; what no rule allows is denied, and every decision keeps its reason."""
    agents = context.says(r"\bagents?\b")
    rule = entity(
        "policy rule",
        [
            string("name"),
            integer("priority", minimum=1, maximum=1000),
            string("actor_pattern"),
            string("action_pattern"),
            enum("effect", "deny", "allow", "review"),
            boolean("enabled"),
        ],
    )
    request = entity(
        "agent request" if agents else "access request",
        [
            string("actor"),
            string("action"),
            text("payload"),
            datetime("received_at"),
            enum("decision", "pending", "allow", "deny", "review"),
            text("reason"),
        ],
        label="action",
    )
    actor = "billing-agent" if agents else "contractor"
    rule.seeds = [
        {
            "name": "No bulk exports",
            "priority": 10,
            "actor_pattern": "*",
            "action_pattern": "export.*",
            "effect": "deny",
            "enabled": True,
        },
        {
            "name": "Payments need a person",
            "priority": 20,
            "actor_pattern": "*",
            "action_pattern": "payments.*",
            "effect": "review",
            "enabled": True,
        },
        {
            "name": "Reading is fine",
            "priority": 50,
            "actor_pattern": f"{actor}*",
            "action_pattern": "*.read",
            "effect": "allow",
            "enabled": True,
        },
    ]
    request.seeds = [
        {"actor": f"{actor}-1", "action": "customers.read", "received_at": At(0, 8, 5)},
        {"actor": f"{actor}-1", "action": "payments.create", "received_at": At(0, 8, 9)},
        {"actor": "unknown", "action": "export.customers", "received_at": At(0, 8, 30)},
    ]
    return Kit(
        [rule, request],
        [
            Behaviour(
                kind="policy",
                feature=f"Decide {request.many} by rules",
                answers=r"gateway|proxy|filter|permission|access|authori|authent|block|redact|secur|polic|guard|limit|arbitrat|translat|intercept|approve|verif",
                params={"rule": rule, "request": request},
                criteria=(
                    Criterion(
                        "test_first_matching_rule_decides",
                        "Given a rule that denies and a later one that allows, when a request matches both, "
                        "then it is denied by the first, which is named as the reason.",
                    ),
                    Criterion(
                        "test_denies_what_no_rule_allows",
                        "Given no rule that matches, when a request is decided, then it is denied.",
                    ),
                    Criterion(
                        "test_disabled_rules_do_not_count",
                        "Given a disabled rule that would allow, when a request is decided, then it is denied.",
                    ),
                    Criterion(
                        "test_decisions_are_kept_with_their_reason",
                        "Given a pending request, when it is decided, then decision and reason are stored with it.",
                    ),
                ),
            )
        ],
    )


def triage(context: Context) -> Kit:
    """Cases of the problem, the most pressing first: what is left where no other pattern fits."""
    profile = context.profile
    who = last_noun(profile.audiences[0]) if profile.audiences else ""
    account = entity(
        who or "customer",
        [string("name"), email(), string("phone", required=False), text("notes")],
        fallback="customer",
    )
    phrase = context.first(
        [
            (r"\b(incidents?|outages?|attacks?|failures?|blackouts?|crash\w*|fail\w*)\b", "incident"),
            (r"\b(requests?|services?)\b", "service request"),
            (r"\b(orders?|buy\w*|sell\w*|shop\w*)\b", "order"),
            (r"\b(experiments?|laborator\w+|research|trials?)\b", "experiment"),
            (r"\b(cases?|legal|lawyers?|disputes?)\b", "case"),
        ],
        "request",
    )
    if phrase == account.phrase:
        phrase = f"{phrase} case"
    case = entity(
        phrase,
        [
            ref(account),
            string("title"),
            enum("severity", "medium", "high", "low"),
            date("opened_on"),
            enum("status", "open", "in_progress", "closed"),
            text("notes"),
        ],
        label="title",
        fallback="case",
    )
    account_id = f"{account.snake}_id"
    account.seeds = [{"name": "First pilot"}, {"name": "Second pilot"}]
    case.seeds = [
        {account_id: Ref(account, 0), "title": f"Sample {case.one} 1", "severity": "high", "opened_on": Day(-3)},
        {account_id: Ref(account, 1), "title": f"Sample {case.one} 2", "severity": "medium", "opened_on": Day(-9)},
        {account_id: Ref(account, 1), "title": f"Sample {case.one} 3", "severity": "low", "opened_on": Day(-1)},
    ]
    return Kit(
        [account, case],
        [
            Behaviour(
                kind="triage",
                feature=f"Work on the most pressing {case.one} first",
                answers=r"manag|track|handl|triage|prioriti|workflow|support|resolv|respond|organi|automat|reduc|prevent",
                params={"account": account, "case": case},
                criteria=(
                    Criterion(
                        "test_overdue_comes_first",
                        f"Given a fresh {case.one} of high severity and an overdue one of medium severity, when the "
                        "queue is asked for, then the overdue one leads.",
                    ),
                    Criterion(
                        "test_severity_orders_the_rest",
                        f"Given two {case.many} of one day, when the queue is asked for, then the more severe comes first.",
                    ),
                    Criterion(
                        "test_closed_is_done",
                        f"Given a closed {case.one}, when the queue is asked for, then it is not in it.",
                    ),
                ),
            )
        ],
    )


PATTERNS: Final = (
    Pattern(
        "fraud",
        r"\b(fraud\w*|duplicate (?:invoices?|payments?|claims?|bills?)|double counting|overbill\w*|fake invoices?|invoice anomal\w+"
        r"|suspicious (?:invoices?|payments?|transactions?|claims?))\b",
        fraud,
        claims="monitor scoring search journal",
    ),
    Pattern(
        "policy",
        r"\b(gateways?|reverse proxy|proxy|firewalls?|access management|permissions?|redact\w*|guardrails?|rate.limit\w*|arbitrat\w+"
        r"|authori[sz]ation|filters? prompt)\b",
        policy,
        claims="scoring search journal",
    ),
    Pattern(
        "monitor",
        r"\b(monitor\w*|scan(?:s|ning|ned)?|sensors?|detect\w*|predict\w*|forecast\w*|measur\w+|telemetry|drones?|diagnos\w+|inspect\w*"
        r"|anomal\w+|unstable|blackouts?|degrad\w+|jamm\w+|latenc\w+|instabilit\w+|defects?|leak\w*|circuit breaker|simulat\w+|in real.time)\b",
        monitor,
        claims="journal",
    ),
)

FALLBACK: Final = Pattern("triage", r"", triage)
