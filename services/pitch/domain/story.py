"""The slides that tell what it is: purpose, problem, solution, why now, product."""

from __future__ import annotations

from chassis.idea import words as lexical
from pipeline.v1 import common_pb2, pitch_pb2
from services.pitch.domain import words
from services.pitch.domain.draft import Desk, Draft, missing
from services.pitch.domain.ledger import Part, Row

_PROOF = {
    common_pb2.CLAIM_KIND_PROBLEM: ("the problem is real", "Visitors of the smoke test sign up"),
    common_pb2.CLAIM_KIND_AUDIENCE: ("the audience can be reached", "Cost of a visitor stays within the plan"),
    common_pb2.CLAIM_KIND_COMPETITION: ("nobody serves this well yet", "Interviews say what they use and miss"),
    common_pb2.CLAIM_KIND_WILLINGNESS_TO_PAY: ("people pay for it", "Visitors click the price, pilots pay"),
    common_pb2.CLAIM_KIND_FEASIBILITY: ("it can be built", "The first version passes its acceptance tests"),
    common_pb2.CLAIM_KIND_TIMING: ("the time is right", "A dated figure shows the change"),
    common_pb2.CLAIM_KIND_MARKET_SIZE: ("there are enough of them", "A public count replaces our range"),
}  # fmt: skip


def purpose(desk: Desk) -> Draft:
    """Cover: the name, what it is, for whom, and where it stands."""
    brief = desk.brief
    ledger, profile = brief.ledger, brief.profile
    line = ledger.own(profile.one_liner or profile.idea, 170)
    draft = Draft(title=ledger.title("{name}", "Startup idea", name=brief.name))
    draft.statements.append(ledger.say("{line}", line=line))
    facts = [words.clean(profile.category_label, 40), f"for {brief.audience}" if brief.audience else ""]
    facts.append(_paid_by(desk))
    draft.statements.append(ledger.say("{facts}", facts=ledger.own(" · ".join(fact for fact in facts if fact), 150)))
    draft.statements.append(_stage(desk))
    draft.talk = [
        f"{brief.name} in one sentence: {str(line).rstrip('.')}.",
        desk.plan.weighs,
        "Each number on these slides carries a mark: [n] leads to a source, An to an assumption.",
    ]
    draft.parts = {"name": bool(profile.names), "one-liner": bool(profile.one_liner), "audience": bool(brief.audience)}
    return draft


def _stage(desk: Desk) -> pitch_pb2.Statement:
    """Where it stands, and what this reader is asked for."""
    stage = "An idea before its smoke test; nothing is measured with customers yet. "
    asked = {
        common_pb2.INVESTOR_TYPE_ANGEL: "We ask for a first step that can fail cheaply",
        common_pb2.INVESTOR_TYPE_SERIES_A: "We show which numbers would make it ready for you",
        common_pb2.INVESTOR_TYPE_GROWTH: "We do not ask for growth money; we show the gates before it",
        common_pb2.INVESTOR_TYPE_STRATEGIC: "We ask for one pilot with your customers",
    }.get(desk.brief.investor, "We ask for the money to find out whether the need is real")
    return desk.brief.ledger.say("{text}", text=stage + asked)


def _paid_by(desk: Desk) -> str:
    brief = desk.brief
    if not brief.model:
        return ""
    return f"{brief.model} (our reading)" if "business_model" in brief.profile.inferred_fields else brief.model


def problem(desk: Desk) -> Draft:
    """Who hurts and how, with what sources say for and against."""
    brief = desk.brief
    ledger, buyer = brief.ledger, brief.buyer
    hurts = ledger.own(brief.problem, 90)
    who = ledger.own(buyer, 80)
    if brief.problem:
        title = ledger.title(
            "{who} {verb} with {problem}",
            "The problem, in the founder's words",
            who=words.capital(buyer),
            verb=words.agree(buyer, "struggle", "struggles"),
            problem=brief.problem,
        )
    else:
        title = ledger.title("What hurts {who} is still to be named", "What hurts is still to be named", who=buyer)
    draft = Draft(title=title)
    if brief.problem:
        bet = "Our bet: for {who}, {hurts} {be} frequent and costly enough to pay for a way out"
        draft.statements.append(ledger.say(bet, who=who, hurts=hurts, be=_is_or_are(brief.problem)))
        if "problem" in brief.profile.inferred_fields:
            draft.statements.append(
                ledger.say("The idea itself does not name this pain: it is our reading, to be checked in interviews")
            )
    else:
        draft.statements.append(
            ledger.say("The idea says what the product does, not what hurts today: name the pain before the pitch")
        )
    if desk.reads(common_pb2.INVESTOR_TYPE_ANGEL):
        draft.statements.append(
            ledger.say(
                "Founder: one true story here, of one person, with the day and what it cost them", placeholder=True
            )
        )
    elif desk.reads(common_pb2.INVESTOR_TYPE_STRATEGIC):
        draft.statements.append(
            ledger.say(
                "Where it reaches you: {who} who cannot solve this call your support, or look elsewhere; your tickets "
                "of the last quarter would say how often",
                who=who,
            )
        )
    products = [item for item in brief.products() if item.stance != common_pb2.STANCE_MENTIONS][:3]
    if products:
        named = Part(
            words.join([words.clean(item.product.name, 40) for item in products]),
            tuple(key for item in products for key in ledger.cite(item)),
        )
        draft.statements.append(
            ledger.say(
                "Today {who} can turn to products such as {named}; what these leave undone is the opening",
                who=who,
                named=named,
            )
        )
    kind = common_pb2.CLAIM_KIND_PROBLEM
    # That a product exists shows that somebody cares; it does not say how often it hurts or what it costs.
    measured = [
        item
        for stance in (common_pb2.STANCE_SUPPORTS, common_pb2.STANCE_CONTRADICTS)
        for item in brief.found(stance, kind)
        if not item.product.name
    ]
    early = desk.reads(common_pb2.INVESTOR_TYPE_ANGEL)
    quotes = desk.quotes((kind,), supports=2 if measured and not early else 1)
    draft.statements += quotes
    if not measured:
        draft.table = _open_questions(desk)
        draft.missing.append(
            missing(
                "evidence for the problem",
                common_pb2.MISSING_KIND_NO_COVERAGE,
                "No source at hand says how often the problem occurs or what it costs.",
                f"Interview {words.clip(buyer, 60)}, or give your own documents with the run.",
            )
        )
    draft.talk = [
        f"Tell one true story of {buyer} and {brief.problem or 'the pain'} before showing the quotes.",
        "Say what speaks against it as well: the reader will find it anyway.",
    ]
    draft.parts = {"problem": bool(brief.problem), "problem evidence": bool(measured)}
    return draft


def _gain(desk: Desk) -> str:
    """What changes: a task of ours to name takes less time, a pain of the idea's own words costs less."""
    brief = desk.brief
    task = words.is_gerund(brief.problem) and "problem" in brief.profile.inferred_fields
    if task:
        return words.agree(brief.buyer, "spend less time on", "spends less time on")
    return words.agree(brief.buyer, "lose less to", "loses less to")


def _is_or_are(phrase: str) -> str:
    """The verb for a problem: an activity is singular, whatever it is done to."""
    activity = words.is_gerund(phrase.removeprefix("not ")) or phrase.startswith("not ")
    return "are" if not activity and words.is_plural(words.head_phrase(phrase)) else "is"


def _open_questions(desk: Desk) -> pitch_pb2.Table:
    """What a problem slide would say if a source did: each with how to find it out."""
    brief = desk.brief
    pain = brief.ledger.own(brief.problem or "the pain", 70)
    who = brief.ledger.own(brief.buyer, 50)
    come = "come" if _is_or_are(brief.problem) == "are" else "comes"

    def question(text: str) -> Part:
        return Part(text.format(pain=pain, who=who, come=come), (), (*pain.assumptions, *who.assumptions))

    return brief.ledger.table(
        ["Still to be found out", "Known today", "How to find out"],
        [
            Row(
                (
                    question("How often {pain} {come} up for {who}"),
                    "No source yet",
                    "Ask about the last time, not about opinions",
                )
            ),
            Row((question("What one such time costs"), "No source yet", "Let five of them count it for a week")),
            Row((question("What they do about it now"), "No source yet", "Watch one of them do it")),
        ],
    )


def solution(desk: Desk) -> Draft:
    """What the product does about it."""
    brief = desk.brief
    ledger = brief.ledger
    titles = [words.lower_first(words.clean(feature.title, 60)) for feature in brief.profile.features[:2]]
    draft = Draft(
        title=ledger.title("{name}: {what}", f"What {brief.name} does", name=brief.name, what=words.join(titles))
        if titles
        else ledger.title("What {name} does", "What the product does", name=brief.name)
    )
    what = ledger.own(words.lower_first(brief.solution), 160)
    if what.text and lexical.is_base_verb(what.text.split(" ", 1)[0].lower()):
        draft.statements.append(ledger.say("{name} is built to {what}", name=brief.name, what=what))
    elif what.text:
        draft.statements.append(ledger.say("{name}: {what}", name=brief.name, what=what))
    else:
        draft.statements.append(
            ledger.say("The idea names the aim, not the means: how {name} works is still to be said", name=brief.name)
        )
    if brief.mechanisms and not _says(brief.solution, brief.mechanisms):
        means = ledger.own(words.join(brief.mechanisms[:3]), 150)
        draft.statements.append(ledger.say("How: {means}", means=means))
    if brief.audience and brief.problem:
        draft.statements.append(
            ledger.say(
                "If it works, {who} {gain} {problem}",
                who=ledger.own(brief.buyer, 80),
                gain=_gain(desk),
                problem=ledger.own(brief.problem, 90),
            )
        )
    if desk.has(pitch_pb2.SLIDE_TYPE_PRODUCT):
        draft.statements += desk.quotes((common_pb2.CLAIM_KIND_FEASIBILITY,))
    else:
        draft.statements += _records(desk)
        draft.table = _features(desk)
    draft.talk = [
        f"Show it, do not describe it: one walk through {words.join(titles) or brief.name} from beginning to end.",
        "Name the claim that each part rests on, and how we will know.",
    ]
    draft.parts = {"solution": bool(what.text), "features": bool(titles)}
    return draft


def _says(text: str, phrases: tuple[str, ...]) -> bool:
    """Whether the text holds the main words of every phrase already."""
    held = {lexical.lemma(token) for token in text.lower().split()}
    for phrase in phrases:
        wanted = {lexical.lemma(token) for token in phrase.lower().split() if len(token) > 3}
        if len(wanted & held) < len(wanted) * 0.6:
            return False
    return True


def _records(desk: Desk) -> list[pitch_pb2.Statement]:
    """What the product keeps track of; nothing where the idea and its field name nothing."""
    profile, ledger = desk.brief.profile, desk.brief.ledger
    things = [lexical.plural(words.clean(entity, 40)) for entity in profile.entities[:4]]
    if not things:
        return []
    inferred = " (our reading of the field)" if "entities" in profile.inferred_fields else ""
    return [
        ledger.say(
            "It keeps track of {things}{inferred}", things=ledger.own(words.join(things), 140), inferred=inferred
        )
    ]


def _features(desk: Desk) -> pitch_pb2.Table | None:
    """Features with the claim they rest on and how it will be known."""
    brief = desk.brief
    kinds = {claim.id: claim.kind for claim in brief.claims}
    rows = []
    if len({kinds.get(feature.claim_id) for feature in brief.profile.features[:5]}) < 2:
        # One row, or the same claim in every row, would say nothing: what it has to live up to does.
        return _has_to_hold(desk)
    for feature in brief.profile.features[:5]:
        rests, known = _PROOF.get(
            kinds.get(feature.claim_id, common_pb2.CLAIM_KIND_FEASIBILITY), _PROOF[common_pb2.CLAIM_KIND_FEASIBILITY]
        )
        rows.append(Row((brief.ledger.own(feature.title, 90), f"That {rests}", known)))
    return brief.ledger.table(["Feature", "Rests on the claim", "How we will know"], rows) if rows else None


def _has_to_hold(desk: Desk) -> pitch_pb2.Table:
    """The claims under the product, with what sources say today and how each will be known."""
    brief = desk.brief
    rows = []
    for kind in (
        common_pb2.CLAIM_KIND_PROBLEM,
        common_pb2.CLAIM_KIND_WILLINGNESS_TO_PAY,
        common_pb2.CLAIM_KIND_FEASIBILITY,
    ):
        rests, known = _PROOF[kind]
        rows.append(Row((f"That {rests}", desk.known(kind), known)))
    return brief.ledger.table(["What has to hold", "Known today", "How we will know"], rows)


def why_now(desk: Desk) -> Draft:
    """What has changed, from dated sources; open where there is none."""
    brief = desk.brief
    ledger = brief.ledger
    field = words.lower_first(words.clean(brief.profile.category_label, 40)) or "this field"
    draft = Draft(title="")
    quotes = desk.quotes((common_pb2.CLAIM_KIND_TIMING,))
    model = brief.figure("llm.price.input", "(from)")
    if brief.uses_language_models() and model is not None:
        draft.statements.append(
            ledger.say(
                "A language model reads a million tokens (pieces of words) for as little as {price}: reading at scale "
                "is no longer what makes this too dear",
                price=ledger.figure(model, lambda value: f"${value:.2f}"),
            )
        )
    now, then = brief.figure("search_ads.cpc"), brief.figure("search_ads.cpc", "2016")
    ads = not desk.financials.inputs.sales_led
    if ads and now is not None and then is not None and now.year and now.segment == "all industries":
        draft.chart = pitch_pb2.Chart(
            title="A click on a search ad, all industries",
            kind="column",
            categories=[str(then.year), str(now.year)],
            series=[pitch_pb2.ChartSeries(name="USD per click", values=[then.value, now.value])],
            unit="USD",
            citation_ids=[*ledger.cite_figure(then), *ledger.cite_figure(now)],
        )
        draft.statements.append(
            ledger.say(
                "Being found costs more each year: a search click went from {then} to {now}, so whoever wins {who} by "
                "word of mouth first keeps an edge",
                then=ledger.figure(then, lambda value: f"${value:.2f} in {then.year}"),
                now=ledger.figure(now, lambda value: f"${value:.2f} in {now.year}"),
                who=ledger.own(brief.buyer, 60),
            )
        )
    draft.statements += quotes
    if quotes:
        draft.title = ledger.title("Why now: what sources say is moving in {field}", "Why now", field=field)
    else:
        draft.title = ledger.title("Why now is the open question in {field}", "Why now is still open", field=field)
        topic = ledger.own(brief.problem or "the need", 90)
        draft.statements.append(
            ledger.say(
                "No dated source at hand shows what changed. To find: a law, a price or a habit around {topic} that is "
                "new, with a figure before and after",
                topic=topic,
            )
        )
        draft.missing.append(
            missing(
                "why now",
                common_pb2.MISSING_KIND_NO_COVERAGE,
                "No dated source speaks for or against the timing.",
                "Find one figure from before and one from after the change you believe in.",
            )
        )
    draft.talk = ["Name the one change without which this could not work, and its date."]
    draft.parts = {"timing evidence": bool(quotes)}
    return draft


def product(desk: Desk) -> Draft:
    """The first version: what it does and what it keeps."""
    brief = desk.brief
    ledger = brief.ledger
    titles = [words.lower_first(words.clean(feature.title, 60)) for feature in brief.profile.features[:1]]
    draft = Draft(
        title=ledger.title("The first version does one thing well: {what}", "The first version", what=titles[0])
        if titles
        else "The first version is still to be cut"
    )
    form = "An" if brief.form[:1].lower() in "aeio" else "A"
    draft.statements.append(
        ledger.say("{a} {form} for {who}", a=form, form=brief.form, who=ledger.own(brief.users, 140))
    )
    records = _records(desk)
    draft.statements += records
    rest = [words.lower_first(words.clean(feature.title, 60)) for feature in brief.profile.features[1:3]]
    if rest:
        draft.statements.append(ledger.say("Next to it: {rest}", rest=ledger.own(words.join(rest), 130)))
    if desk.reads(common_pb2.INVESTOR_TYPE_STRATEGIC):
        draft.statements.append(
            ledger.say("Where it would connect: [your system], read only; nothing is written back in the pilot")
        )
        draft.statements += desk.quotes((common_pb2.CLAIM_KIND_FEASIBILITY,), supports=1, contradicts=0)
    draft.table = _features(desk)
    draft.talk = ["Walk through the features in the order in which a new user meets them."]
    draft.parts = {"features": bool(brief.profile.features), "entities": bool(records)}
    return draft
