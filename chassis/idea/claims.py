"""The seven statements that must be true for an idea to work, worded for the idea; ids are fixed."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.idea import words as w
from pipeline.v1 import common_pb2 as pb


@dataclass(frozen=True)
class ClaimFacts:
    """What the claims are worded from; lower-case phrases without final stops, empty where the idea is silent."""

    product: str
    audience: str
    problem: str
    solution: str
    mechanisms: tuple[str, ...]
    category: str
    label: str
    keywords: tuple[str, ...]
    model: int
    buyer: str
    regulated: tuple[str, ...]


_PAYMENT = {
    pb.BUSINESS_MODEL_SUBSCRIPTION: "pay a recurring fee",
    pb.BUSINESS_MODEL_FREEMIUM: "move from a free to a paid plan",
    pb.BUSINESS_MODEL_MARKETPLACE_FEE: "accept a fee on each match",
    pb.BUSINESS_MODEL_TRANSACTION_FEE: "accept a fee on each transaction",
    pb.BUSINESS_MODEL_SERVICE_FEE: "pay for each job",
    pb.BUSINESS_MODEL_ADVERTISING: "be reached by advertisers who pay",
    pb.BUSINESS_MODEL_HARDWARE_SALE: "pay for a device",
    pb.BUSINESS_MODEL_USAGE_BASED: "pay by use",
}


def claims(facts: ClaimFacts) -> tuple[pb.Claim, ...]:
    """Seven claims in a fixed order: problem, audience, market size, competition, payment, feasibility, timing."""
    who = facts.audience or "its intended users"
    some = facts.audience or "people"
    pain = facts.problem
    does = facts.solution or (f"deal with {pain}" if pain else f"do what {facts.product} promises")
    acts = w.join(facts.mechanisms[:2]) if facts.mechanisms else ""
    payment = _PAYMENT.get(pb.BusinessModel.ValueType(facts.model), "pay")
    topic = facts.keywords[0] if facts.keywords else facts.category
    problem = f"{w.capitalise(pain)} is a frequent and costly problem for {who}." if pain else (
        f"{w.capitalise(some)} have an unmet need for {facts.product}."
    )  # fmt: skip
    need = f"solve {pain} with {facts.product}" if pain else f"use {facts.product} to {does}"
    if len(need) > 120:
        need = f"use {facts.product} for this"
    feasibility = (
        f"Today's technology can support {acts} reliably enough for {who}." if acts
        else f"Today's technology can {does} reliably enough for {who}."
    )  # fmt: skip
    if facts.regulated:
        feasibility = feasibility[:-1] + f", within the rules on {w.join(facts.regulated[:2])}."
    rows = (
        ("problem", pb.CLAIM_KIND_PROBLEM, problem, [pain, facts.audience, *facts.keywords]),
        ("audience", pb.CLAIM_KIND_AUDIENCE, f"{w.capitalise(who)} can be reached and would {need}.",
         [facts.audience, *facts.keywords]),
        ("market-size", pb.CLAIM_KIND_MARKET_SIZE,
         f"There are enough {some if facts.audience else 'buyers'} who need to {does} to carry a business."
         if len(does) < 90 else f"There are enough {some if facts.audience else 'buyers'} with this need to carry a business.",
         [f"{topic} market size", facts.audience, *facts.keywords]),
        ("competition", pb.CLAIM_KIND_COMPETITION,
         f"No existing product already meets what {who} expect of {facts.product}.",
         [f"{topic} software", f"{topic} alternatives", *facts.keywords]),
        ("willingness-to-pay", pb.CLAIM_KIND_WILLINGNESS_TO_PAY,
         f"{w.capitalise(facts.buyer or who)} would {payment} for {facts.product}.",
         [f"{topic} pricing", facts.audience, *facts.keywords]),
        ("feasibility", pb.CLAIM_KIND_FEASIBILITY, feasibility, [*facts.mechanisms, *facts.keywords]),
        ("timing", pb.CLAIM_KIND_TIMING,
         f"Demand for {facts.product} in {facts.label.lower()} is growing now." if facts.label and facts.category != "general"
         else f"Demand for {facts.product} is growing now.",
         [f"{topic} trend", f"{topic} growth", *facts.keywords]),
    )  # fmt: skip
    return tuple(
        pb.Claim(id=id_, kind=kind, text=text, terms=w.unique(term for term in terms if term)[:10])
        for id_, kind, text, terms in rows
    )
