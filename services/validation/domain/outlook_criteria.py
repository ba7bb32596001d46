"""Criteria about where the idea can go: differentiation, feasibility, market, risk."""

from __future__ import annotations

import re

from chassis.idea import words as w
from chassis.idea.nouns import head_of
from pipeline.v1 import common_pb2 as pb
from pipeline.v1 import validation_pb2 as vpb
from services.validation.domain import nonsense
from services.validation.domain.rubric import Idea, hits, made, unscored
from services.validation.domain.signals import (
    BUZZ,
    CONTRAST,
    DEMANDING,
    GENERIC_AUDIENCE,
    HARD_SCIENCE,
    HEAVY,
    NARROW,
    PHYSICAL,
    PRICE,
)


def differentiation(idea: Idea) -> vpb.CriterionScore:
    p = idea.profile
    mechanisms = list(p.mechanisms) if idea.stated("mechanisms") else []
    quoted = idea.mechanisms
    contrast = [hit for hit in hits(CONTRAST, idea.text) if len(hit.split()) > 1]
    buzz = hits(BUZZ, idea.text)
    if nonsense.hollow(mechanisms):
        return unscored(
            vpb.CRITERION_DIFFERENTIATION, f"“{w.clip(mechanisms[0], 60)}” could be said of everything.",
            f"Say what the product does, step by step, in place of “{w.clip(mechanisms[0], 60)}”.",
        )  # fmt: skip
    if not mechanisms and not contrast:
        return unscored(
            vpb.CRITERION_DIFFERENTIATION, "The text does not say how it works, so nothing sets it apart.",
            f"Say how it is done differently: “{w.clip(p.one_liner or p.idea, 60)} by …, instead of …”.",
        )  # fmt: skip
    # A mechanism read off the product's own name ("validation platform") is what every rival does too.
    from_name = bool(mechanisms) and not re.search(
        r"\b(?:that|which|by|with|using|to|helps?|where|so)\b|ing\b",
        idea.text.lower().replace(p.basis["mechanisms"].lower(), ""),
    )
    points = 2.0 if from_name or not mechanisms else 2.5 + 0.5 * min(3, len(mechanisms))
    points += 0.75 if contrast else 0.0
    points += 0.25 if any(len(m.split()) > 3 for m in mechanisms) else 0.0
    only_ai = bool(re.search(r"\bai\b", " ".join(buzz), re.IGNORECASE)) and len(mechanisms) < 2
    points -= 0.5 if only_ai else 0.0
    if mechanisms:
        reason = f"It sets itself apart by {w.clip(w.join(mechanisms[:3]), 110)}"
    else:
        reason = f"It contrasts itself with today's way (“{contrast[0]}”)"
    if contrast and mechanisms:
        reason += f", and by a condition (“{w.clip(contrast[0], 45)}”)"
    if only_ai:
        reason += f"; “{next((b for b in buzz if 'ai' in b.lower()), buzz[0])}” is claimed by most rivals"
    better = (
        f"Name what people use today and why “{w.clip(mechanisms[0] if mechanisms else p.problem, 60)}” beats "
        f"it: “instead of …”."
        if not contrast
        else f"Say what would stop a rival from copying “{w.clip(mechanisms[0] if mechanisms else contrast[0], 60)}”."
    )
    return made(
        vpb.CRITERION_DIFFERENTIATION,
        points,
        [*quoted[:2], *contrast[:1], *(buzz[:1] if only_ai else [])],
        reason + ".",
        0.5,
        better,
    )


def feasibility(idea: Idea) -> vpb.CriterionScore:
    p = idea.profile
    if not idea.stated("solution"):
        return unscored(
            vpb.CRITERION_FEASIBILITY,
            f"The text says {'what hurts, not' if p.problem else 'not'} what is built: feasibility is open.",
            f"Say what the first version does about “{w.clip(p.problem or p.idea, 60)}”.",
        )  # fmt: skip
    if nonsense.hollow(list(p.mechanisms) or [p.solution]):
        return unscored(
            vpb.CRITERION_FEASIBILITY, f"“{w.clip(p.solution, 60)}” names nothing that could be built.",
            f"Say what the first version does in place of “{w.clip(p.solution, 60)}”.",
        )  # fmt: skip
    if impossible := nonsense.against_nature(idea.text):
        return made(
            vpb.CRITERION_FEASIBILITY, 1, [impossible], f"“{impossible}” is beyond what nature is known to allow.", 0.9,
            f"Say what can be built today in place of “{impossible}”.",
        )  # fmt: skip
    science, demanding, physical = hits(HARD_SCIENCE, p.idea), hits(DEMANDING, p.idea), hits(PHYSICAL, p.idea)
    points = 5.0
    against: list[str] = []
    if science:
        points -= 2.0
        against.append(f"{science[0]} is still research in many places")
    if physical and not science:
        points -= 1.0
        against.append(f"hardware (“{physical[0]}”) must be bought, run and insured")
    if p.customer_type == pb.CUSTOMER_TYPE_MARKETPLACE:
        points -= 1.0
        against.append("both sides must be there at once")
    if demanding:
        points -= 0.75
        against.append(f"“{demanding[0]}” sets a high bar")
    if len(p.regulated_fields) > 1:
        points -= 0.5
        against.append(f"rules on {w.join([f.field for f in p.regulated_fields[:2]])} come first")
    if len(p.features) > 4:
        points -= 0.5
        against.append(f"{len(p.features)} features are many for a first version")
    if re.search(
        r"\b(?:detect|predict|recogni[sz]e|classif|recommend|suggest|match|analy[sz]|understand|generat|translat)\w*",
        p.solution,
        re.IGNORECASE,
    ):
        points -= 0.5
        against.append("its quality depends on data that must be gathered")
    built = w.clip(w.join(list(p.mechanisms[:2])) or p.solution, 80)
    be = "are" if len(p.mechanisms) > 1 else "is"
    if points >= 3.5:
        reason = f"{w.capitalise(built)} {be} buildable with known parts"
        reason += f", but {w.join(against[:3])}" if against else ""
    else:
        reason = f"{w.capitalise(built)} {be} hard to get going: {w.join(against[:3])}"
    first = p.features[0].title if p.features else p.solution
    better = f"Cut the first version to “{w.clip(first, 60)}”" + (
        f" and prove {science[0]} on a bench first." if science else ", done by hand behind the scenes if need be."
    )
    return made(
        vpb.CRITERION_FEASIBILITY,
        points,
        [p.basis["solution"], *science[:1], *physical[:1], *demanding[:1]],
        reason + ".",
        0.55,
        better,
    )


def market(idea: Idea) -> vpb.CriterionScore:
    p = idea.profile
    if not idea.stated("audiences"):
        return unscored(
            vpb.CRITERION_MARKET, "Without a named buyer there is nothing to count.",
            f"Say who pays for “{w.clip(p.one_liner or p.idea, 60)}”; then their number can be looked up.",
        )  # fmt: skip
    first = p.audiences[0]
    price = hits(PRICE, p.idea)
    narrow = hits(NARROW, " ".join(p.audiences))
    generic = head_of(first) in GENERIC_AUDIENCE and len(first.split()) == 1
    points = 3.0
    said: list[str] = []
    if p.customer_type in (pb.CUSTOMER_TYPE_B2B, pb.CUSTOMER_TYPE_B2G):
        points += 0.75
        said.append(f"{first} buy from a budget")
    elif p.customer_type == pb.CUSTOMER_TYPE_MARKETPLACE:
        said.append("the market must be won on two sides")
    else:
        points -= 0.25
        said.append(f"{first} pay out of their own pocket")
    if price:
        points += 0.75
        said.append(f"it says how it earns (“{price[0]}”)")
    if narrow:
        points -= 1.0
        said.append(f"there are few of them (“{narrow[0]}”)")
    if generic:
        points -= 1.0
        said.append(f"“{first}” is no market")
    if p.category and p.category != "general":
        points += 0.25
    reason = f"{w.capitalise(w.join(said[:3]))}; how many there are is for the evidence to say"
    better = (
        f"Add how many “{first}” there are and the price that one pays." if not price
        else f"Add how many “{first}” you can reach in the first year."
    )  # fmt: skip
    return made(vpb.CRITERION_MARKET, points, [*p.audiences[:2], *price[:1], *narrow[:1]], reason + ".", 0.35, better)


def risk(idea: Idea) -> vpb.CriterionScore:
    p = idea.profile
    heavy = [f for f in p.regulated_fields if f.field in HEAVY]
    light = [f for f in p.regulated_fields if f.field not in HEAVY]
    points = 5.0 - 1.0 * min(2, len(heavy)) - 0.5 * min(2, len(light))
    if any(f.field == "children" for f in heavy) and any(f.field == "physical safety of users" for f in light):
        points -= 0.5
    fields = [f.field for f in (*heavy, *light)]
    if fields:
        reason = f"It touches rules on {w.join(fields[:4])}"
        basis = [f.basis for f in (*heavy, *light)]
        better = f"{fields[0].capitalize()} first: {(heavy or light)[0].advice}"
        return made(vpb.CRITERION_RISK, points, basis, reason + ".", 0.6, better)
    basis = [p.basis[key] for key in ("solution", "product_form", "category") if key in p.basis][:2]
    return made(vpb.CRITERION_RISK, 5, basis, "No regulated field shows in its words.", 0.5, "")
