"""Criteria about how the idea is put: clarity, specificity, problem, audience."""

from __future__ import annotations

import re

from chassis.idea import words as w
from chassis.idea.lexicon import PAINS
from chassis.idea.nouns import head_of
from pipeline.v1 import common_pb2 as pb
from pipeline.v1 import validation_pb2 as vpb
from services.validation.domain import nonsense
from services.validation.domain.rubric import Idea, hits, made, unscored
from services.validation.domain.signals import (
    BUZZ,
    CONSEQUENCE,
    GENERIC_AUDIENCE,
    NUMBER,
)

# A sentence of more words than this is read twice.
_SENTENCE_WORDS_MAX = 32


def clarity(idea: Idea) -> vpb.CriterionScore:
    p = idea.profile
    if opposed := nonsense.contradiction(idea.text):
        one, other = opposed
        return made(
            vpb.CRITERION_CLARITY, 2, [one, other], f"It contradicts itself: “{one}” and “{other}” cannot both hold.",
            0.8, f"Say which of the two is meant: “{one}” or “{other}”.",
        )  # fmt: skip
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
        return unscored(vpb.CRITERION_CLARITY, reason + ".", better)
    return made(
        vpb.CRITERION_CLARITY,
        points,
        [w.clip(x, 80) for x in said.values()],
        reason + ".",
        0.85 if p.language == "en" else 0.3,
        better,
    )


def specificity(idea: Idea) -> vpb.CriterionScore:
    p = idea.profile
    numbers = [hit for hit in hits(NUMBER, idea.text) if not re.fullmatch(r"\d", hit)]
    buzz = hits(BUZZ, idea.text)
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
    return made(vpb.CRITERION_SPECIFICITY, points, basis, reason + ".", 0.7, better)


def problem(idea: Idea) -> vpb.CriterionScore:
    p = idea.profile
    if not p.problem:
        return unscored(
            vpb.CRITERION_PROBLEM, "The text names no problem.",
            f"Name what goes wrong today without it: “{w.clip(p.one_liner or p.idea, 70)}, because …”.",
        )  # fmt: skip
    if not idea.stated("problem"):
        return made(
            vpb.CRITERION_PROBLEM, 2, [p.basis["problem"]],
            f"It names a task ({p.problem}) but not what goes wrong with it today.", 0.5,
            f"Say what “{p.problem}” costs today in time, money or mistakes.",
        )  # fmt: skip
    words = p.basis["problem"]
    lemmas = {w.singular(t.lower) for t in w.tokenize(f"{p.problem} {words}")}
    pains = sorted(lemmas & PAINS)
    consequences = hits(CONSEQUENCE, p.idea)
    numbers = [hit for hit in hits(NUMBER, p.idea) if not re.fullmatch(r"\d", hit)]
    points = 3.0 + (0.6 if pains else 0.0) + (0.5 if len(consequences) > 2 else 0.0) + (1.0 if numbers else 0.0)
    reason = f"It states what hurts ({w.clip(p.problem, 70)})"
    if numbers:
        reason += f" and puts a figure on it ({numbers[0]})"
        better = f"Say who loses that and how often: “{w.clip(p.problem, 60)}, every …”."
    else:
        reason += ", without saying how often or how much"
        better = f"Add how often it happens and what it costs: “{w.clip(p.problem, 60)}, costing … a month”."
    return made(vpb.CRITERION_PROBLEM, points, [words, *pains[:2], *numbers[:1]], reason + ".", 0.75, better)


def audience(idea: Idea) -> vpb.CriterionScore:
    p = idea.profile
    everybody = re.search(r"\bfor (everyone|everybody|anyone|anybody|all people|the whole world)\b", idea.text, re.I)
    if everybody and not idea.stated("audiences"):
        return made(
            vpb.CRITERION_AUDIENCE, 1, [everybody.group()], f"“{everybody.group(1)}” is nobody in particular.", 0.8,
            f"Replace “{everybody.group(1)}” by the group that needs it most: age, trade or company size.",
        )  # fmt: skip
    if not idea.stated("audiences"):
        return unscored(
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
    return made(vpb.CRITERION_AUDIENCE, points, [*audiences[:3], *roles[:1], *sized[:1]], reason + ".", 0.8, better)
