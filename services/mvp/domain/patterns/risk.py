"""Products that judge: documents that may be wrong, requests that need a decision, cases that wait."""

from __future__ import annotations

from typing import Final

from services.mvp.domain.model import (
    At,
    Behaviour,
    Criterion,
    Day,
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
from services.mvp.domain.patterns.context import Context, Pattern, actor, any_of

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
                        f"Given a flagged {paper.one} that a person approved, when it is marked paid, "
                        "then that is accepted.",
                    ),
                ),
                guards=paper,
            ),
        ],
    )


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
                answers=r"rule|gateway|proxy|filter|permission|access|authori|authent|block|redact|secur|polic|guard|limit|arbitrat|translat|intercept|approve|verif",
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
    who = actor(profile.audiences[0], "customer") if profile.audiences else "customer"
    account = entity(
        who,
        [string("name"), email(), string("phone", required=False), text("notes")],
        fallback="customer",
    )
    phrase = context.first(
        [
            (r"\b(repairs?|maintenance)\b", "repair request"),
            (r"\b(communit\w+|forums?|homework)\b", "question"),
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
                        f"Given two {case.many} of one day, when the queue is asked for, "
                        "then the more severe comes first.",
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
        any_of(
            r"fraud\w*",
            "duplicate (?:invoices?|payments?|claims?|bills?)",
            "double counting",
            r"overbill\w*",
            "fake invoices?",
            r"invoice anomal\w+",
            "suspicious (?:invoices?|payments?|transactions?|claims?)",
        ),
        fraud,
        claims="monitor scoring search journal",
    ),
    Pattern(
        "policy",
        any_of(
            "gateways?",
            "proxy",
            "firewalls?",
            "access management",
            "permissions?",
            r"redact\w*",
            "guardrails?",
            r"rate.limit\w*",
            r"arbitrat\w+ (?:api|protocol|service|layer)",
            "authori[sz]ation",
            "filters? prompt",
            "scraping bots?",
        ),
        policy,
        unless=any_of(r"cach\w+", r"compress\w*", "legacy industrial protocols"),
        claims="scoring search journal",
    ),
)

FALLBACK: Final = Pattern("triage", r"", triage)
