"""The slides that weigh it: market, competition, traction, risks."""

from __future__ import annotations

from pipeline.v1 import common_pb2, pitch_pb2, validation_pb2
from services.pitch.domain import market as sizes
from services.pitch.domain import numbers, words
from services.pitch.domain.draft import AGAINST, CONTEXT, FOR, Desk, Draft, missing
from services.pitch.domain.ledger import Part, Row

_VERDICTS = {
    validation_pb2.RECOMMENDATION_GO: "worth testing",
    validation_pb2.RECOMMENDATION_PIVOT: "pivot before spending more",
    validation_pb2.RECOMMENDATION_NO_GO: "do not pursue it as it stands",
    validation_pb2.RECOMMENDATION_INCONCLUSIVE: "inconclusive",
}
_ANSWERS = {
    common_pb2.CLAIM_KIND_PROBLEM: "Smoke test and interviews before building more",
    common_pb2.CLAIM_KIND_AUDIENCE: "Test another audience with the same page",
    common_pb2.CLAIM_KIND_MARKET_SIZE: "Replace our range with a public count",
    common_pb2.CLAIM_KIND_COMPETITION: "Ask users of that product what it lacks",
    common_pb2.CLAIM_KIND_WILLINGNESS_TO_PAY: "Show a price on the page and count the clicks",
    common_pb2.CLAIM_KIND_FEASIBILITY: "Build the hardest part first, and test it",
    common_pb2.CLAIM_KIND_TIMING: "Find a dated figure; else wait or narrow",
}
_CLAIM_WORDS = {
    common_pb2.CLAIM_KIND_PROBLEM: "The problem may not be real",
    common_pb2.CLAIM_KIND_AUDIENCE: "The audience may not be reachable",
    common_pb2.CLAIM_KIND_MARKET_SIZE: "The market may be small",
    common_pb2.CLAIM_KIND_COMPETITION: "Others serve this already",
    common_pb2.CLAIM_KIND_WILLINGNESS_TO_PAY: "People may not pay",
    common_pb2.CLAIM_KIND_FEASIBILITY: "It may not be buildable",
    common_pb2.CLAIM_KIND_TIMING: "The time may be wrong",
}


def market(desk: Desk) -> Draft:
    """TAM, SAM and SOM bottom-up, with the formula and the inputs named."""
    brief, model, money = desk.brief, desk.market, desk.financials
    ledger = brief.ledger
    label = words.lower_first(model.buyers.label) if not model.buyers.label.startswith("US") else model.buyers.label
    draft = Draft(
        title=ledger.title(
            "Market, bottom-up: {label} × what one account pays",
            "Market, bottom-up: accounts × what one pays",
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
    floor = brief.figure("market_size.tam.vc_minimum")
    if floor is not None and desk.plan.reader in {"a seed fund", "a Series A fund", "a growth investor"}:
        _, tam, _ = ledger.value(model.tam)
        side = "above" if tam >= floor.value else "below"
        draft.statements.append(
            ledger.say(
                f"That is {side} the {{floor}} a year which one rule of thumb asks of venture-scale ideas",
                floor=ledger.figure(floor, numbers.money),
            )
        )
    for item in brief.fresh(found, 1):
        label_of = {common_pb2.STANCE_SUPPORTS: FOR, common_pb2.STANCE_CONTRADICTS: AGAINST}.get(item.stance, CONTEXT)
        draft.statements.append(desk.quote(label_of, item))
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
    if numbers.find_numbers(model.buyers.label, ledger.names):
        draft.table.rows[0].assumption_ids.append(model.accounts)
    draft.talk = [
        "Walk down the table: every line is the one above it times something named.",
        f"The count of accounts is an order of magnitude; {model.buyers.confirm_with} settles it.",
        "SOM is what our own plan can win, never a percentage of a large number.",
    ]
    draft.parts = {"market formula": True, "cited market size": bool(found)}
    return draft


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
    products = [*direct, *beside][:5]
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
        draft.statements.append(
            ledger.say("The list says who is there, not how good they are; closed products are under-counted")
        )
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
            ledger.say("Strongest rival until then: doing nothing, a spreadsheet, or a phone call"),
        ]
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


def _first_question(desk: Desk) -> pitch_pb2.Statement:
    brief = desk.brief
    what = brief.ledger.own(brief.problem or brief.solution or "this", 90)
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


def traction(desk: Desk) -> Draft:
    """None, said plainly; what will be measured, and what others measured elsewhere."""
    brief = desk.brief
    ledger = brief.ledger
    who = ledger.own(brief.buyer, 70)
    draft = Draft(title="Traction: none yet; the smoke test measures it next")
    draft.statements.append(
        ledger.say("None yet; the smoke test will measure sign-ups per visitor among {who}", who=who)
    )
    reason = brief.figure("failure_reason.no_market_need")
    if reason is not None:
        draft.statements.append(
            ledger.say(
                "Why this comes before building: {share} of {sample} name no market need as a reason to fail",
                share=ledger.figure(reason, numbers.percent),
                sample=ledger.source_note(reason, reason.segment),
            )
        )
    bars = []
    for label, metric, part in (
        ("Whole websites", "landing_page.conversion_rate", "whole-site"),
        ("SaaS landing pages, median", "landing_page.conversion_rate.median", ""),
        ("Search ads, this field", "search_ads.conversion_rate", None),
        ("Waitlist called strong", "waitlist.signup_rate.strong", ""),
    ):
        chosen = brief.best_figure(metric) if part is None else brief.figure(metric, part)
        if chosen is not None:
            bars.append((label, chosen))
    if bars:
        draft.chart = pitch_pb2.Chart(
            title="Sign-ups per visitor that others report, %",
            kind="bar",
            categories=[label for label, _ in bars],
            series=[pitch_pb2.ChartSeries(name="Share of visitors, %", values=[item.value for _, item in bars])],
            unit="%",
            citation_ids=[key for _, item in bars for key in ledger.cite_figure(item)],
        )
        draft.statements.append(
            ledger.say("The bars are what others report, for other products: a bar to compare with, not a forecast")
        )
    draft.statements.append(
        ledger.say(
            "Founder: add users, revenue, pilots or letters of intent here, each with its date", placeholder=True
        )
    )
    draft.missing.append(
        missing(
            "traction",
            common_pb2.MISSING_KIND_FOUNDER_INPUT,
            "Nothing has been measured yet.",
            "Run the smoke test of this run's campaign and put its result here.",
        )
    )
    draft.talk = [
        "Say plainly that nothing is measured yet, then what the test will decide and by when.",
        "The metric, the sample and the stopping rule are fixed before the first visitor arrives.",
    ]
    draft.parts = {"traction": False, "reference rates": bool(bars)}
    return draft


def risks(desk: Desk) -> Draft:
    """What contradicts us, weak criteria, regulated fields: each with what we do next."""
    brief = desk.brief
    ledger = brief.ledger
    rows: list[Row] = []
    against = 0
    seen: set[int] = set()
    kinds = {claim.id: claim.kind for claim in brief.claims}
    for item in brief.found(common_pb2.STANCE_CONTRADICTS, *_CLAIM_WORDS):
        kind = kinds.get(item.claim_id, common_pb2.CLAIM_KIND_UNSPECIFIED)
        if kind in seen or against >= 3:
            continue
        seen.add(kind)
        against += 1
        rows.append(Row((_CLAIM_WORDS[kind], desk.said(item, 120), _ANSWERS[kind])))
    for rule in list(brief.profile.regulated_fields)[:2]:
        rows.append(
            Row(
                (
                    ledger.own(f"Regulated field: {words.clean(rule.field, 40)}", 70),
                    ledger.own(_touched(rule.basis), 120),
                    ledger.own(rule.advice or "Clear it with an adviser first", 190, "our advice"),
                )
            )
        )
    weak = sorted(
        (score for score in brief.criteria if score.HasField("score") and score.score <= 2),
        key=lambda score: (score.score, score.criterion),
    )
    for score in weak[: max(1, 5 - len(rows))][:2]:
        name = validation_pb2.Criterion.Name(score.criterion).removeprefix("CRITERION_").lower()
        rows.append(
            Row(
                (
                    f"Weak in our own check: {name}",
                    ledger.own(score.reason, 130, "validation"),
                    ledger.own(score.improvement or "Sharpen the idea and check again", 110, "validation"),
                )
            )
        )
    if not rows:
        rows.append(
            Row(
                (
                    "Not looked at enough",
                    "No source against us was found",
                    "Ask three people who would not buy, and why",
                )
            )
        )
    draft = Draft(
        title="What speaks against us, and what we do about it"
        if against
        else "Risks: no source against us found yet, which proves little"
    )
    draft.table = ledger.table(["Risk", "What we found", "What we do next"], rows[:6])
    if verdict := _VERDICTS.get(brief.verdict.recommendation):
        draft.statements.append(
            ledger.say("Our own check of the idea says: {verdict}{ends}", verdict=verdict, ends=_strong_and_weak(desk))
        )
    survival = brief.figures.best("business_survival.year_5")
    if survival is not None:
        segment = ledger.source_note(survival, survival.segment.removeprefix("US "))
        draft.statements.append(
            ledger.say(
                "Base rate: {share} of new US businesses ({segment}) are still open after five years",
                share=ledger.figure(survival, numbers.percent),
                segment=segment,
            )
        )
    draft.talk = [
        "Bring up the hardest point before the reader does, and say what result would make us stop.",
        *[words.clean(reason.explanation, 240) for reason in brief.verdict.reasons[:2]],
        *[f"What would change our verdict: {words.clean(text, 200)}" for text in brief.verdict.would_change[:2]],
    ]
    draft.parts = {"contradicting evidence": bool(against), "verdict": bool(brief.verdict.recommendation)}
    return draft


def _touched(basis: str) -> str:
    """Why a regulated field was named."""
    quoted = words.clean(basis, 90)
    return f"The idea touches it: “{quoted}”" if quoted else "The idea touches it"


def _strong_and_weak(desk: Desk) -> str:
    """Best and worst criterion in words."""
    scored = [score for score in desk.brief.criteria if score.HasField("score")]
    if len(scored) < 2:
        return ""
    best = max(scored, key=lambda score: (score.score, -score.criterion))
    worst = min(scored, key=lambda score: (score.score, score.criterion))
    if best.score == worst.score:
        return ""
    names = [
        validation_pb2.Criterion.Name(score.criterion).removeprefix("CRITERION_").lower() for score in (best, worst)
    ]
    return f"; strongest on {names[0]}, weakest on {names[1]}"
