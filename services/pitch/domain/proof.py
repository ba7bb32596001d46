"""The slides that weigh it: market and competition."""

from __future__ import annotations

from chassis.idea import words as lexical
from pipeline.v1 import common_pb2, pitch_pb2
from services.pitch.domain import market as sizes
from services.pitch.domain import numbers, words
from services.pitch.domain.draft import AGAINST, CONTEXT, FOR, Desk, Draft, missing
from services.pitch.domain.ledger import Part, Row


def market(desk: Desk) -> Draft:
    """TAM, SAM and SOM bottom-up, with the formula and the inputs named."""
    brief, model, money = desk.brief, desk.market, desk.financials
    ledger = brief.ledger
    label = words.lower_first(model.buyers.label) if not model.buyers.label.startswith("US") else model.buyers.label
    floor = brief.figure("market_size.tam.vc_minimum")
    large = floor is None or ledger.value(model.tam)[1] >= floor.value
    draft = Draft(
        title=ledger.title(
            "{label} are a large market on paper; whether they pay decides"
            if large
            else "{label} alone are a small market: price or reach has to grow",
            "A large market on paper; whether they pay decides"
            if large
            else "A small market: price or reach has to grow",
            label=label,
        )
    )
    found = sizes.counts_in_evidence(brief)
    who = Part(label, (), (model.accounts,) if numbers.find_numbers(label, ledger.names) else ())
    draft.statements.append(
        ledger.say(
            "{accounts} {who} × {annual} a year each = {tam}",
            accounts=ledger.num(model.accounts),
            who=who,
            annual=ledger.num(model.annual),
            tam=ledger.num(model.tam),
        )
    )
    if not found:
        draft.statements.append(
            ledger.say(
                "No source at hand counts these accounts: the range is ours, to be replaced with {source}",
                source=model.buyers.confirm_with,
            )
        )
        draft.missing.append(
            missing(
                "market size",
                common_pb2.MISSING_KIND_NO_COVERAGE,
                f"No cited count of buyers was found ({words.clip(model.buyers.label, 80)}).",
                f"Look the count up in {model.buyers.confirm_with} and put it in place of the range.",
            )
        )
    if floor is not None and desk.plan.reader in {"a seed fund", "a Series A fund", "a growth investor"}:
        side = "above" if large else "below"
        draft.statements.append(
            ledger.say(
                f"That is {side} the {{floor}} a year which one rule of thumb asks of venture-scale ideas",
                floor=ledger.figure(floor, numbers.money),
            )
        )
    for item in brief.fresh(found, 1):
        label_of = {common_pb2.STANCE_SUPPORTS: FOR, common_pb2.STANCE_CONTRADICTS: AGAINST}.get(item.stance, CONTEXT)
        draft.statements.append(desk.quote(label_of, item))
    draft.statements += _market_by_reader(desk)
    som = money.revenue[2]
    draft.table = ledger.table(
        ["Step", "How it is computed", "Cautious", "Base", "Hopeful"],
        [
            Row(("Accounts", words.clip(model.buyers.label, 60), *_three(desk, model.accounts))),
            Row(("Revenue per account and year", "Price a month × twelve", *_three(desk, model.annual))),
            Row(("TAM", "Accounts × revenue per account", *_three(desk, model.tam))),
            Row(
                (
                    "SAM",
                    Part(f"TAM × {ledger.num(model.reach)} that version one can serve", (), (model.reach,)),
                    *_three(desk, model.sam),
                )
            ),
            Row(("SOM, end of year 3", "What the planned spend can win", *_three(desk, som))),
        ],
    )
    if desk.reads(common_pb2.INVESTOR_TYPE_ANGEL, common_pb2.INVESTOR_TYPE_STRATEGIC):
        # An angel backs the first step and a partner a pilot: what a whole round could win is not theirs to weigh.
        del draft.table.rows[4]
    if numbers.find_numbers(model.buyers.label, ledger.names):
        draft.table.rows[0].assumption_ids.append(model.accounts)
    draft.talk = [
        "Walk down the table: every line is the one above it times something named.",
        f"The count of accounts is an order of magnitude; {model.buyers.confirm_with} settles it.",
        "SOM is what our own plan can win, never a percentage of a large number.",
    ]
    draft.parts = {"market formula": True, "cited market size": bool(found)}
    return draft


def _market_by_reader(desk: Desk) -> list[pitch_pb2.Statement]:
    """What the market means to this reader."""
    ledger, model, money = desk.brief.ledger, desk.market, desk.financials
    if desk.reads(common_pb2.INVESTOR_TYPE_ANGEL):
        return [
            ledger.say(
                "The first step needs none of this: it needs a handful of {who} who pay {price} a month",
                who=ledger.own(desk.brief.buyer, 60),
                price=ledger.num(model.price),
            )
        ]
    if desk.reads(common_pb2.INVESTOR_TYPE_SERIES_A):
        # From about a twentieth on, the next account is found less easily than the last.
        large = ledger.value(money.customers[2])[1] > 0.05 * ledger.value(model.accounts)[1]
        return [
            ledger.say(
                "The base plan wins {customers} by the end of year 3, out of {accounts}: {limit}",
                limit="a large part of all there are, so the count has to be right before the spend"
                if large
                else "what limits it is demand, not the number of accounts",
                customers=ledger.num(money.customers[2]),
                accounts=ledger.num(model.accounts),
            )
        ]
    if desk.reads(common_pb2.INVESTOR_TYPE_GROWTH):
        return [
            ledger.say(
                "Headroom: the base plan ends year 3 at {som}, beside {sam} that version one could serve",
                som=ledger.num(money.revenue[2]),
                sam=ledger.num(model.sam),
            )
        ]
    if desk.reads(common_pb2.INVESTOR_TYPE_STRATEGIC):
        return [
            ledger.say(
                "For you the line to fill in is reach: how many of these {accounts} are your customers already",
                accounts=ledger.num(model.accounts),
            ),
            ledger.say(
                "Partner: [accounts that you serve today], [share that could be offered this]", placeholder=True
            ),
        ]
    return []


def _three(desk: Desk, id_: str) -> tuple[Part, Part, Part]:
    """Cautious, base and hopeful values."""
    ledger = desk.brief.ledger
    return ledger.num(id_, "low"), ledger.num(id_), ledger.num(id_, "high")


def competition(desk: Desk) -> Draft:
    """Who is there already; an empty list is said to be no proof."""
    brief = desk.brief
    ledger = brief.ledger
    direct = [item for item in brief.products() if item.stance != common_pb2.STANCE_MENTIONS]
    beside = [item for item in brief.products() if item.stance == common_pb2.STANCE_MENTIONS]
    products = [*direct, *beside][: 3 if desk.reads(common_pb2.INVESTOR_TYPE_ANGEL) else 5]
    names = [words.clean(item.product.name, 32) for item in products]
    who = ledger.own(brief.buyer, 70)
    how = ledger.own(words.by_or_with(brief.mechanisms[:2]), 110)
    if products:
        found = names[: len(direct)] or names
        listed = words.join([*found[:3], "others"] if len(found) > 3 else found)
        draft = Draft(
            title=ledger.title("Already there: {listed}", "Already there: existing products", listed=listed)
            if direct
            else ledger.title(
                "No direct rival in our sources; nearest: {listed}", "No direct rival in our sources", listed=listed
            )
        )
        draft.table = ledger.table(
            ["Product", "Field", "Category", "Alternative to", "Licence", "GitHub stars"],
            [
                Row(
                    (
                        Part(name, ledger.cite(item)),
                        "neighbouring" if item in beside else "same",
                        words.clean(item.product.category, 40) or "not stated",
                        words.clean(words.join(list(item.product.alternative_to[:2])), 44) or "not stated",
                        words.clean(item.product.license, 24) or "not stated",
                        f"{item.product.stars:,}" if item.product.stars else "not stated",
                    )
                )
                for name, item in zip(names, products, strict=True)
            ],
        )
        _drop_unstated(draft.table)
        draft.statements.append(
            ledger.say(
                "What has to be shown: that {name}{how} serves {who} better than these do",
                name=brief.name,
                how=Part(f", {how}," if how.text else "", (), how.assumptions),
                who=who,
            )
        )
        draft.statements.append(_on_rivals(desk))
        if len(products) < 3:
            draft.statements.append(_first_question(desk))
    else:
        draft = Draft(title="No competing product in our sources yet, which proves little")
        draft.statements += [
            ledger.say(
                "That nothing was found speaks about our sources, not about the market: {who} {manage} somehow today",
                who=who,
                manage=words.agree(brief.buyer, "manage", "manages"),
            ),
            _first_question(desk),
        ]
        draft.table = ledger.table(
            ["Until then, the rival is", "To find out", "How"],
            [
                Row(("Doing nothing", "What that costs them a month", "Ask about the last time it happened")),
                Row(("A spreadsheet, a message, a phone call", "Where it breaks", "Watch one of them do it")),
                Row(
                    (
                        "A closed product that our sources do not list",
                        "What they pay, what they miss",
                        "App stores, and what they searched for",
                    )
                ),
            ],
        )
        draft.missing.append(
            missing(
                "competition",
                common_pb2.MISSING_KIND_NO_COVERAGE,
                "No existing product was found in the sources at hand.",
                "Ask ten people of the audience what they use today, and search app stores for it.",
            )
        )
    draft.statements += desk.quotes((common_pb2.CLAIM_KIND_COMPETITION,), supports=1, contradicts=0 if products else 1)
    draft.talk = [
        "Never say there is no competition: say what people do today and why they would switch.",
        f"Difference to prove: it works {how}." if how.text else "Name the difference that has to be proven.",
    ]
    draft.parts = {"competitors": bool(products), "mechanism": bool(brief.mechanisms)}
    return draft


def _on_rivals(desk: Desk) -> pitch_pb2.Statement:
    """What this reader does with a list of rivals."""
    ledger = desk.brief.ledger
    if desk.reads(common_pb2.INVESTOR_TYPE_ANGEL):
        return ledger.say("Founder: which of these have you used for a month, and where did it fail", placeholder=True)
    if desk.reads(common_pb2.INVESTOR_TYPE_SERIES_A):
        return ledger.say("Founder: won and lost against each, with the reason the buyer gave", placeholder=True)
    if desk.reads(common_pb2.INVESTOR_TYPE_GROWTH):
        return ledger.say("What keeps a customer from leaving for one of these is not shown yet: retention will say it")
    if desk.reads(common_pb2.INVESTOR_TYPE_STRATEGIC):
        return ledger.say(
            "Open licences mean that you could build on one of these instead: the pilot has to beat that choice as well"
        )
    return ledger.say("The list says who is there, not how good they are; closed products are under-counted")


def _first_question(desk: Desk) -> pitch_pb2.Statement:
    brief = desk.brief
    aim = words.lower_first(brief.solution)
    # "Call a relative when it notices a fall": who "it" is, is lost in a question.
    points_back = bool({"it", "its", "we", "our", "them"} & set(aim.lower().split()))
    if not brief.problem and aim and not points_back and lexical.is_base_verb(aim.split(" ", 1)[0]):
        return brief.ledger.say(
            "First interview question: how do they {aim} today, and what have they tried", aim=brief.ledger.own(aim, 90)
        )
    if not brief.problem:
        return brief.ledger.say(
            "First interview question: what do they do today where {name} would help, and what have they tried",
            name=brief.name,
        )
    what = brief.ledger.own(brief.problem, 90)
    return brief.ledger.say(
        "First interview question: what do they do now about {what}, and what have they tried", what=what
    )


def _drop_unstated(table: pitch_pb2.Table) -> None:
    """Takes out columns that no product states anything in."""
    for column in reversed(range(1, len(table.header))):
        if all(row.cells[column] == "not stated" for row in table.rows):
            del table.header[column]
            for row in table.rows:
                del row.cells[column]
