"""Eight criteria, scored 1 to 5 from the idea's own words, or not scored where they give no basis.

Each score carries the words that led to it, one sentence of reason, a confidence and the edit that would raise it.
The scale: 1 hinders the idea, 2 weak, 3 workable, 4 good, 5 nothing to add from words alone. `risk` runs the same way:
5 is low risk. Nothing here knows the market: that is the evidence phase's part, and confidences say so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chassis.idea import words as w
from chassis.idea.lexicon import PAINS
from chassis.idea.nouns import head_of
from pipeline.v1 import common_pb2 as pb
from pipeline.v1 import validation_pb2 as vpb
from services.validation.domain.signals import (
    BUZZ,
    CONSEQUENCE,
    CONTRAST,
    DEMANDING,
    GENERIC_AUDIENCE,
    HARD_SCIENCE,
    HEAVY,
    NARROW,
    NUMBER,
    PHYSICAL,
    PRICE,
)

ORDER = (
    vpb.CRITERION_CLARITY,
    vpb.CRITERION_SPECIFICITY,
    vpb.CRITERION_PROBLEM,
    vpb.CRITERION_AUDIENCE,
    vpb.CRITERION_DIFFERENTIATION,
    vpb.CRITERION_FEASIBILITY,
    vpb.CRITERION_MARKET,
    vpb.CRITERION_RISK,
)

# A sentence of more words than this is read twice.
_SENTENCE_WORDS_MAX = 32
_QUOTE_CHARS_MAX = 90
_BASIS_MAX = 5


@dataclass(frozen=True)
class _Idea:
    """What every criterion looks at."""

    profile: pb.IdeaProfile

    @property
    def text(self) -> str:
        return self.profile.idea

    def stated(self, field: str) -> bool:
        """Whether the idea's own words fill the field."""
        return field in self.profile.basis and field not in self.profile.inferred_fields

    @property
    def mechanisms(self) -> list[str]:
        """The words of the idea that say how it works."""
        return self.profile.basis["mechanisms"].split("; ") if self.stated("mechanisms") else []

    def quote(self, limit: int = _QUOTE_CHARS_MAX) -> str:
        """The idea, or its beginning, in quotes."""
        short = w.clip(self.text.rstrip(" .!?"), limit)
        return f"“{short}{'' if len(short) >= len(self.text.rstrip(' .!?')) else ' …'}”"


def score(profile: pb.IdeaProfile) -> list[vpb.CriterionScore]:
    """The eight criteria in the order of the contract."""
    idea = _Idea(profile)
    return [_SCORERS[criterion](idea) for criterion in ORDER]


def _made(
    criterion: vpb.Criterion.ValueType,
    points: float,
    basis: Sequence[str],
    reason: str,
    confidence: float,
    improvement: str,
) -> vpb.CriterionScore:
    value = max(1, min(5, round(points)))
    words = w.unique(text for text in basis if text)[:_BASIS_MAX]
    if not words:
        return _unscored(criterion, reason, improvement)
    return vpb.CriterionScore(
        criterion=criterion, score=value, basis=words, reason=reason,
        confidence=round(max(0.05, min(0.95, confidence)), 2), improvement="" if value == 5 else improvement,
    )  # fmt: skip


def _unscored(criterion: vpb.Criterion.ValueType, reason: str, improvement: str) -> vpb.CriterionScore:
    return vpb.CriterionScore(criterion=criterion, reason=reason, improvement=improvement)


def _hits(pattern: re.Pattern[str], text: str) -> list[str]:
    return w.unique(match.group().strip(" .,;") for match in pattern.finditer(text))


def _clarity(idea: _Idea) -> vpb.CriterionScore:
    p = idea.profile
    parts = {
        "what it is": p.basis["product_form"] if idea.stated("product_form") else "",
        "who it is for": p.basis["audiences"] if idea.stated("audiences") else "",
        "what it does": p.basis["solution"] if idea.stated("solution") else "",
        "which problem it solves": p.basis["problem"] if idea.stated("problem") else "",
    }
    said = {name: words for name, words in parts.items() if words}
    missing = [name for name in parts if name not in said]
    longest = max((len(s.split()) for s in w.sentences(idea.text)), default=0)
    acronyms = {t.text for t in w.tokenize(idea.text) if re.fullmatch(r"[A-Z][A-Z0-9/]{1,}s?", t.text)} - {
        "AI",
        "B2B",
        "B2C",
        "B2G",
        "API",
        "IT",
    }
    points = 1.0 + len(said)
    notes = []
    if longest > _SENTENCE_WORDS_MAX:
        points -= 1.0
        notes.append(f"its longest sentence has {longest} words")
    if len(acronyms) > 3:
        points -= 1.0
        notes.append(f"it uses {len(acronyms)} abbreviations")
    reason = f"It says {w.join(list(said))}" if said else "It says neither what it is nor what it does"
    if missing and said:
        reason += f", but not {w.join(missing, 'or')}"
    if notes:
        reason += f"; {w.join(notes)}"
    if missing:
        better = f"Add {w.join(missing)} to {idea.quote()}."
    elif longest > _SENTENCE_WORDS_MAX:
        better = f"Split the sentence that begins {idea.quote(50)} in two."
    else:
        better = f"Write out {w.join(sorted(acronyms)[:4])}."
    if not said:
        return _unscored(vpb.CRITERION_CLARITY, reason + ".", better)
    return _made(
        vpb.CRITERION_CLARITY,
        points,
        [w.clip(x, 80) for x in said.values()],
        reason + ".",
        0.85 if p.language == "en" else 0.3,
        better,
    )


def _specificity(idea: _Idea) -> vpb.CriterionScore:
    p = idea.profile
    numbers = [hit for hit in _hits(NUMBER, idea.text) if not re.fullmatch(r"\d", hit)]
    buzz = _hits(BUZZ, idea.text)
    concrete = [m for m in idea.mechanisms if len(m.split()) > 1]
    qualified = [a for a in p.audiences if len(a.split()) > 1] if idea.stated("audiences") else []
    things = [k for k in p.keywords[:6] if len(k.split()) > 1]
    points = (
        1.5
        + min(1.5, 0.75 * len(concrete))
        + (0.75 if qualified else 0.0)
        + min(0.75, 0.25 * len(things))
        + (0.75 if numbers else 0.0)
    )
    points -= min(1.0, 0.5 * len(buzz))
    basis = [*concrete[:2], *qualified[:1], *numbers[:1], *things[:1], *buzz[:1]]
    pieces = []
    if concrete:
        pieces.append(f"names {'how it works' if len(concrete) == 1 else f'{len(concrete)} ways it works'}")
    if qualified:
        pieces.append(f"narrows its users to {qualified[0]}")
    if numbers:
        pieces.append(f"gives a figure ({numbers[0]})")
    reason = f"It {w.join(pieces)}" if pieces else "It stays general"
    if buzz:
        reason += f"; “{buzz[0]}” could stand before any product"
    if not numbers:
        target = p.problem or p.solution or p.one_liner
        better = f"Put a number on “{w.clip(target, 60)}”: how often, how much, by when."
    elif not concrete:
        better = f"Say by which steps it works: add “by …” to {idea.quote(60)}."
    else:
        better = f"Narrow “{p.audiences[0] if p.audiences else w.clip(p.idea, 40)}” by size, place or trade."
    if buzz and not concrete:
        better = f"Replace “{buzz[0]}” by what the product does, step by step."
    return _made(vpb.CRITERION_SPECIFICITY, points, basis, reason + ".", 0.7, better)


def _problem(idea: _Idea) -> vpb.CriterionScore:
    p = idea.profile
    if not p.problem:
        return _unscored(
            vpb.CRITERION_PROBLEM, "The text names no problem.",
            f"Name what goes wrong today without it: “{w.clip(p.one_liner or p.idea, 70)}, because …”.",
        )  # fmt: skip
    if not idea.stated("problem"):
        return _made(
            vpb.CRITERION_PROBLEM, 2, [p.basis["problem"]],
            f"It names a task ({p.problem}) but not what goes wrong with it today.", 0.5,
            f"Say what “{p.problem}” costs today in time, money or mistakes.",
        )  # fmt: skip
    words = p.basis["problem"]
    lemmas = {w.singular(t.lower) for t in w.tokenize(f"{p.problem} {words}")}
    pains = sorted(lemmas & PAINS)
    consequences = _hits(CONSEQUENCE, p.idea)
    numbers = [hit for hit in _hits(NUMBER, p.idea) if not re.fullmatch(r"\d", hit)]
    points = 3.0 + (0.6 if pains else 0.0) + (0.5 if len(consequences) > 2 else 0.0) + (1.0 if numbers else 0.0)
    reason = f"It states what hurts ({w.clip(p.problem, 70)})"
    if numbers:
        reason += f" and puts a figure on it ({numbers[0]})"
        better = f"Say who loses that and how often: “{w.clip(p.problem, 60)}, every …”."
    else:
        reason += ", without saying how often or how much"
        better = f"Add how often it happens and what it costs: “{w.clip(p.problem, 60)}, costing … a month”."
    return _made(vpb.CRITERION_PROBLEM, points, [words, *pains[:2], *numbers[:1]], reason + ".", 0.75, better)


def _audience(idea: _Idea) -> vpb.CriterionScore:
    p = idea.profile
    if not idea.stated("audiences"):
        return _unscored(
            vpb.CRITERION_AUDIENCE, "The text does not say who it is for.",
            f"Add who uses it and who pays: “{w.clip(p.one_liner or p.idea, 70)} for …”.",
        )  # fmt: skip
    audiences = list(p.audiences)
    first = audiences[0]
    size = len(first.split())
    generic = head_of(first) in GENERIC_AUDIENCE and size == 1
    # A title in brackets or "X who ..." says whose desk it lands on.
    roles = re.findall(
        r"\b(?:CISOs?|CTOs?|CFOs?|CEOs?|CIOs?|COOs?|CMOs?|CSOs?|VP|Head of|Directors?|Managers?|owners?|heads? of)\b",
        idea.text,
    )
    sized = re.findall(
        r"\b(?:small|mid-?size\w*|large|independent|first-time|single|remote|rural|urban|under \d+|over \d+|"
        r"\d+[-–]\d+|in [A-Z]\w+|aged? \d+)\b",
        idea.text,
    )
    points = 3.0
    if generic:
        points = 2.0
    elif size > 1:
        points = 4.0
    if (roles or sized) and not generic:
        points += 0.6
    if len(audiences) > 3:
        points -= 1.0
    if p.customer_type == pb.CUSTOMER_TYPE_MARKETPLACE and len(audiences) > 1:
        reason = f"It names both sides ({w.join(audiences[:2])})"
    else:
        reason = f"It names {w.join(audiences[:3])}"
    if generic:
        reason += ", which is nearly everybody"
        better = f"Replace “{first}” by the group that suffers most: age, trade or company size."
    elif len(audiences) > 3:
        reason += f" and more: {len(audiences)} groups that buy in different ways"
        better = f"Begin with one group, for instance “{first}”, and leave the others for later."
    elif size == 1:
        better = f"Narrow “{first}” to those who feel it most: which size, place or trade?"
    else:
        better = f"Say who among “{first}” decides and pays."
    return _made(vpb.CRITERION_AUDIENCE, points, [*audiences[:3], *roles[:1], *sized[:1]], reason + ".", 0.8, better)


def _differentiation(idea: _Idea) -> vpb.CriterionScore:
    p = idea.profile
    mechanisms = list(p.mechanisms) if idea.stated("mechanisms") else []
    quoted = idea.mechanisms
    contrast = [hit for hit in _hits(CONTRAST, idea.text) if len(hit.split()) > 1]
    buzz = _hits(BUZZ, idea.text)
    if not mechanisms and not contrast:
        return _unscored(
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
    return _made(
        vpb.CRITERION_DIFFERENTIATION,
        points,
        [*quoted[:2], *contrast[:1], *(buzz[:1] if only_ai else [])],
        reason + ".",
        0.5,
        better,
    )


def _feasibility(idea: _Idea) -> vpb.CriterionScore:
    p = idea.profile
    if not idea.stated("solution"):
        return _unscored(
            vpb.CRITERION_FEASIBILITY, "The text says what hurts, not what is built, so feasibility cannot be judged.",
            f"Say what the first version does about “{w.clip(p.problem or p.idea, 60)}”.",
        )  # fmt: skip
    science, demanding, physical = _hits(HARD_SCIENCE, p.idea), _hits(DEMANDING, p.idea), _hits(PHYSICAL, p.idea)
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
    return _made(
        vpb.CRITERION_FEASIBILITY,
        points,
        [p.basis["solution"], *science[:1], *physical[:1], *demanding[:1]],
        reason + ".",
        0.55,
        better,
    )


def _market(idea: _Idea) -> vpb.CriterionScore:
    p = idea.profile
    if not idea.stated("audiences"):
        return _unscored(
            vpb.CRITERION_MARKET, "Without a named buyer there is nothing to count.",
            f"Say who pays for “{w.clip(p.one_liner or p.idea, 60)}”; then their number can be looked up.",
        )  # fmt: skip
    first = p.audiences[0]
    price = _hits(PRICE, p.idea)
    narrow = _hits(NARROW, " ".join(p.audiences))
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
    return _made(vpb.CRITERION_MARKET, points, [*p.audiences[:2], *price[:1], *narrow[:1]], reason + ".", 0.35, better)


def _risk(idea: _Idea) -> vpb.CriterionScore:
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
        return _made(vpb.CRITERION_RISK, points, basis, reason + ".", 0.6, better)
    basis = [p.basis[key] for key in ("solution", "product_form", "category") if key in p.basis][:2]
    return _made(vpb.CRITERION_RISK, 5, basis, "No regulated field shows in its words.", 0.5, "")


_SCORERS: dict[vpb.Criterion.ValueType, Callable[[_Idea], vpb.CriterionScore]] = {
    vpb.CRITERION_CLARITY: _clarity,
    vpb.CRITERION_SPECIFICITY: _specificity,
    vpb.CRITERION_PROBLEM: _problem,
    vpb.CRITERION_AUDIENCE: _audience,
    vpb.CRITERION_DIFFERENTIATION: _differentiation,
    vpb.CRITERION_FEASIBILITY: _feasibility,
    vpb.CRITERION_MARKET: _market,
    vpb.CRITERION_RISK: _risk,
}
