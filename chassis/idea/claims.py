"""The seven statements that must be true for an idea to work, worded for the idea; ids are fixed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from chassis.idea import words as w
from pipeline.v1 import common_pb2 as pb

CLAIM_IDS = ("problem", "audience", "market-size", "competition", "willingness-to-pay", "feasibility", "timing")


@dataclass(frozen=True)
class ClaimFacts:
    """What the claims are worded from; lower-case phrases without final stops, empty where the idea is silent."""

    # "a scheduling tool", "a B2B tool for finance teams"
    product: str
    audience: str
    buyer: str
    problem: str
    # The problem is the job itself ("finding tutors"), not a stated pain.
    problem_is_job: bool
    # Verb phrase in base form: "waste less food".
    goal: str
    # "by tracking expiry dates", or empty.
    means: str
    mechanisms: tuple[str, ...]
    category: str
    label: str
    keywords: tuple[str, ...]
    model: int
    regulated: tuple[str, ...]


_PAYMENT = {
    pb.BUSINESS_MODEL_SUBSCRIPTION: "pay a recurring fee for",
    pb.BUSINESS_MODEL_FREEMIUM: "move from a free to a paid plan of",
    pb.BUSINESS_MODEL_MARKETPLACE_FEE: "accept a fee on each match made by",
    pb.BUSINESS_MODEL_TRANSACTION_FEE: "accept a fee on each transaction through",
    pb.BUSINESS_MODEL_SERVICE_FEE: "pay per job for",
    pb.BUSINESS_MODEL_ADVERTISING: "watch enough advertising to carry",
    pb.BUSINESS_MODEL_HARDWARE_SALE: "buy",
    pb.BUSINESS_MODEL_USAGE_BASED: "pay by use for",
}


# A longer problem stands behind a colon: within the sentence nobody would find its end.
_WORDS_IN_LINE_MAX = 7


# "stopping losing time", "never losing track of it": what is no longer done is no work of the product.
_NEGATED = re.compile(r"^(?:stopping \w+ing|never|not|no longer)\b")
# What every product does for somebody.
_LIGHT = frozenset({"take", "book", "order", "get", "find", "have", "use", "see"})


def _happens(problem: str) -> bool:
    """Whether a problem is an event with a subject of its own: "a teacher calling in sick"."""
    words = problem.lower().split()
    named = not w.base_of_gerund(words[0]) if words else False
    return named and any(w.base_of_gerund(word) or word in {"being", "having"} for word in words[1:-1])


def _pronoun(product: str) -> str:
    """What stands for the product when it is named again."""
    if product.startswith(("a ", "an ")):
        return "one"
    return "them" if w.is_plural(product.split()[-1].lower()) else "it"


def _says(product: str, goal: str) -> bool:
    """Whether a product's name says its goal already; words count as the same from their first five letters."""
    told = {w.singular(word)[:5] for word in product.lower().split()}
    asked = [w.singular(word)[:5] for word in goal.lower().split() if word not in w.STOPWORDS | _LIGHT]
    return bool(asked) and all(word in told for word in asked)


def _lower(label: str) -> str:
    """A category's label within a sentence: "AI infrastructure" keeps its abbreviation."""
    return " ".join(word if word.isupper() and len(word) > 1 else word.lower() for word in label.split())


def claims(facts: ClaimFacts) -> tuple[pb.Claim, ...]:
    """Seven claims in the order of `CLAIM_IDS`."""
    who = facts.audience or "the people it is meant for"
    everyone = who
    goal = facts.goal
    to_goal = f" to {goal}" if goal else ""
    help_goal = f"helps {who} {goal}" if goal else f"serves {who}"
    topic = facts.keywords[0] if facts.keywords else facts.category
    pay = _PAYMENT.get(pb.BusinessModel.ValueType(facts.model), "pay for")
    if facts.model == pb.BUSINESS_MODEL_MARKETPLACE_FEE and facts.buyer:
        # Those who look for something feel the need; both sides must be reached.
        help_goal, who = help_goal.replace(f"helps {who}", f"helps {facts.buyer}"), facts.buyer
    if facts.problem.startswith("finding it hard to "):
        problem = f"{who} {facts.problem.replace('finding', 'find', 1)}."
    elif facts.problem.startswith("finding "):
        problem = f"{who} find it hard to find {facts.problem.removeprefix('finding ')}."
    elif facts.problem.startswith("not knowing "):
        problem = f"{who} often do not know {facts.problem.removeprefix('not knowing ')}, and it costs them."
    elif facts.problem and facts.problem_is_job and not _happens(facts.problem):
        problem = f"{who} find {facts.problem} hard enough to look for help."
    elif facts.audience and facts.problem.lower().startswith(facts.audience.lower()):
        problem = f"{who} meet this often enough to look for a remedy: {facts.problem}."
    elif w.base_of_gerund(facts.problem.partition(" ")[0]) and not facts.problem.startswith("being "):
        problem = f"{who} keep {facts.problem}, often enough to look for a remedy."
    elif (
        (facts.audience and facts.audience.lower() in facts.problem.lower())
        or _happens(facts.problem)
        or " being " in facts.problem
        or len(facts.problem.split()) > _WORDS_IN_LINE_MAX
    ):
        problem = f"{who} meet this often enough to look for a remedy: {facts.problem}."
    elif facts.problem:
        problem = f"{who} lose time or money to {facts.problem} often enough to look for a remedy."
    else:
        problem = (
            f"{who} look for a way to {goal} often enough to try something new."
            if goal
            else f"{who} need {facts.product} often enough to look for {_pronoun(facts.product)}."
        )
    rules = f", within the rules on {w.join(facts.regulated[:2])}" if facts.regulated else ""
    field = f" in {_lower(facts.label)}" if facts.label and facts.category != "general" else ""
    own_way = f" {facts.means}" if facts.means else ""
    # "an idea validation platform to validate ideas": the name says it already.
    use = "" if _says(facts.product, goal) else to_goal
    acting = [said for said in facts.mechanisms if not _NEGATED.match(said)]
    acts = w.join(acting[:2]) or (
        f"{facts.product}{use}" if facts.mechanisms or not goal else f"a product that can {goal}"
    )
    rows = (
        (pb.CLAIM_KIND_PROBLEM, problem, [facts.problem, facts.audience, *facts.keywords]),
        (pb.CLAIM_KIND_AUDIENCE, f"{everyone} can be reached at an affordable cost and would try "
        f"{facts.product}{use}.",
         [facts.audience, *facts.keywords]),
        (pb.CLAIM_KIND_MARKET_SIZE, f"Enough {who.removeprefix('the ')} want{to_goal or ' this'} to carry a "
        f"business{field}.",
         [f"{topic} market size", facts.audience, *facts.keywords]),
        (pb.CLAIM_KIND_COMPETITION, f"No established product already {help_goal}{own_way} well enough.",
         [f"{topic} software", f"{topic} alternatives", *facts.keywords]),
        (pb.CLAIM_KIND_WILLINGNESS_TO_PAY, f"{facts.buyer or who} would {pay} {facts.product}{use}.",
         [f"{topic} pricing", facts.buyer, *facts.keywords]),
        (pb.CLAIM_KIND_FEASIBILITY, f"Today's technology makes {acts} reliable enough for {everyone}{rules}.",
         [*facts.mechanisms, *facts.keywords]),
        (pb.CLAIM_KIND_TIMING, f"Demand from {who} for help{to_goal} is growing now{field}.",
         [f"{topic} trend", f"{topic} growth", *facts.keywords]),
    )  # fmt: skip
    return tuple(
        pb.Claim(id=id_, kind=kind, text=w.capitalise(text), terms=w.unique(term for term in terms if term)[:10])
        for id_, (kind, text, terms) in zip(CLAIM_IDS, rows, strict=True)
    )
