"""Wordings that ads and pages share: the problem as a question, the outcome, what the product is and does.

Each function returns its wordings best first; which of them fits is decided where they are used.
"""

from __future__ import annotations

import re
from itertools import combinations

from chassis.idea import words
from services.campaign.domain.brief import GENERIC_HEADS, MASS_NOUNS, Brief
from services.campaign.domain.phrases import Function, Shape, shorter, striving


def audience_forms(audience: str) -> list[str]:
    """The audience, then without its tail and its light adjectives: "small clinics" -> "clinics"."""
    if not audience:
        return []
    many = _many(audience)
    # "pre-clinical phase pharmaceutical": half a pair, and nobody.
    forms = [form for form in shorter(audience) if form.lower() not in _BARE_HEADS and (_many(form) or not many)]
    base = forms[-1] if forms else audience
    for light in _LIGHT:
        if base.lower().startswith(f"{light} ") and base[len(light) + 1 :].lower() not in _BARE_HEADS:
            forms.append(base[len(light) + 1 :])
    return words.unique(forms) or [audience]


def _many(people: str) -> bool:
    return words.is_plural(people.rsplit(" ", 1)[-1].lower())


# Heads that say nothing without what stands before them.
_BARE_HEADS = frozenset(
    {"teams", "people", "users", "customers", "companies", "operators", "managers", "providers", "owners", "members"}
)


# Words before a head that may be left out where room is short.
_LIGHT = ("small", "independent", "busy", "local", "young", "older", "new", "high school", "startup", "solo", "home")


def product_forms(product: str) -> list[str]:
    """The product, and its last word where that says enough: "mobile app" -> "app"."""
    head = product.rsplit(" ", 1)[-1]
    return words.unique([product, head if head.lower() in GENERIC_HEADS else ""]) if product else []


def pain_questions(brief: Brief) -> list[str]:
    """The problem as a question to the reader, in wordings that its grammatical shape allows.

    Where the problem itself fits into no question, what the product reduces or detects is asked about.
    """
    pain = brief.pain
    if brief.pain_shape is Shape.GERUND:
        least = 4 if pain.startswith("not ") else 2
        forms = [form for form in shorter(pain, "x") if len(form.split()) >= least]
        asking = ["Tired of"] if pain.startswith("not ") else ["Tired of", "Still"]
        return [f"{lead} {form}?" for form in forms for lead in asking]
    if brief.pain_shape is Shape.STRIVING:
        goal = striving(pain)
        if not goal:
            return []
        forms = list(shorter(goal, goal.split()[0]))
        return [f"{lead} {form}?" for form in forms for lead in ("Struggling to", "Hard to")]
    if brief.pain_shape is Shape.NOUN:
        return _noun_questions(pain)
    questions = _questions_from_functions(brief)
    wishes = [words.decapitalise(outcome) for outcome in outcomes(brief)]
    return questions + [f"{lead} {wish}?" for lead in ("Still no good way to", "Looking to") for wish in wishes]


def _noun_questions(pain: str) -> list[str]:
    forms = list(shorter(pain))
    plural = words.is_plural(forms[-1].rsplit(" ", 1)[-1].lower())
    if pain.rsplit(" ", 1)[-1].lower() in _DEFINITE:
        return [f"Still dealing with the {form}?" for form in forms]
    leads = ["Still dealing with", "Too many" if plural and not _measured(pain) else "Had enough of"]
    questions = [f"{lead} {form}?" for form in forms for lead in leads]
    return [*questions, *(f"{words.capitalise(form)}?" for form in forms)]


def _questions_from_functions(brief: Brief) -> list[str]:
    for function in brief.functions:
        lead = "Worried about" if function.verb in _EXPOSING else "Still dealing with"
        if function.verb in _EXPOSING | _ENDING and function.rest:
            return [f"{lead} {form}?" for form in shorter(function.rest)]
    return []


# Singular nouns that ask for an article.
_DEFINITE = frozenset(
    {"threat", "attack", "problem", "risk", "shutdown", "gap", "bottleneck", "delay", "shortage", "crisis", "burden"}
)
# What these act on is bad: it is exposed, or brought to an end.
_EXPOSING = frozenset({"detect", "block", "catch", "spot", "flag"})


_ENDING = frozenset(
    {"reduce", "avoid", "prevent", "stop", "eliminate", "minimise", "minimize", "tackle", "curb", "combat"}
)


def _measured(pain: str) -> bool:
    return pain.split(" ", 1)[0].lower() in words.QUANTIFIERS | {"lost", "high", "low", "poor", "bad"}


def outcomes(brief: Brief) -> list[str]:
    """What the reader gets, as a headline, longest first; without the functions' own words twice."""
    if not brief.outcome:
        return []
    return [words.capitalise(form) for form in shorter(brief.outcome, brief.outcome.split()[0])]


def function_titles(function: Function) -> list[str]:
    return [form.title for form in function.shorter()]


def does(brief: Brief, count: int, pronoun: str = "") -> list[str]:
    """What the product does, as predicates: "tracks expiry dates and suggests recipes", then with less.

    `pronoun` stands for the audience where a function acts on it.
    """
    functions = sorted(brief.functions[:count], key=lambda f: not f.verb)
    choices = [list(c) for n in range(len(functions), 0, -1) for c in combinations(functions, n)]
    lines: list[str] = []
    for chosen in choices:
        lines.append(words.join([f.third_to(brief.audience, pronoun) for f in chosen]))
        lines.append(words.join([list(f.shorter())[-1].third_to(brief.audience, pronoun) for f in chosen]))
    return words.unique(lines)


def what_it_is(brief: Brief) -> list[str]:
    """ "A mobile app for households that tracks expiry dates and suggests recipes", then shorter."""
    if not brief.product:
        return []
    people, products = audience_forms(brief.audience), product_forms(brief.product)
    lines = []
    for predicate in does(brief, 3, "them"):
        lines += [f"{_an(product)} for {audience} that {predicate}" for product in products for audience in people]
    for predicate in does(brief, 3):
        lines += [f"{_an(product)} that {predicate}" for product in products]
    lines += [f"{_an(product)} for {audience}" for product in products for audience in people]
    lines = [line for line in words.unique(lines) if not re.search(r"\bthat\b.*\bthat\b", line)]
    return sorted(lines, key=repeats)


def label(brief: Brief) -> list[str]:
    """What it is called where it stands alone, of two words at least: "scheduling tool", "invoice fraud tool"."""
    if len(brief.product.split()) != 1:
        return [form for form in product_forms(brief.product) if " " in form or form.lower() in _TELLING]
    known = [k for k in (brief.topic, *brief.keywords) if k not in brief.people]
    about = [k for k in known if len(k.split()) == 2 and not words.is_plural(k.split()[-1])]
    specific = [f"{as_written(k, brief.idea)} {brief.product}" for k in about[:2]]
    return specific + ([brief.product] if brief.product.lower() in _TELLING else [])


# Kinds of product that say enough on their own.
_TELLING = frozenset({"app", "marketplace", "api", "drone", "plugin", "chatbot", "robot", "sensor", "game"})


def with_article(noun: str) -> str:
    """ "a mobile app", "an AI tool", "software"."""
    return noun if noun.rsplit(" ", 1)[-1].lower() in MASS_NOUNS else words.article(noun)


def _an(noun: str) -> str:
    return words.capitalise(with_article(noun))


def by_name(brief: Brief) -> list[str]:
    return [f"{brief.subject} {predicate}" for predicate in does(brief, 3, "you")]


def keyword_titles(brief: Brief) -> list[str]:
    said = {brief.category_label.lower(), brief.product.lower(), *brief.people}
    usable: list[str] = []
    for keyword in brief.keywords:
        inside = any(set(keyword.split()) <= set(other.split()) for other in usable)
        if len(keyword.split()) >= 2 and keyword not in said and not inside:
            usable.append(keyword)
    return [words.capitalise(as_written(k, brief.idea)) for k in usable]


def as_written(keyword: str, idea: str) -> str:
    """The keyword as the idea has it: its capitals and its plural ("ai agent" -> "AI agents")."""
    for form in (words.plural(keyword), keyword):
        match = re.search(rf"\b{re.escape(form)}\b", idea, re.IGNORECASE)
        if match:
            return words.decapitalise(match.group())
    return re.sub(
        r"\b(?:ai|api|apis|ml|llm|llms|iot|gps|sms|seo|crm|erp|hr|it|pdf)\b", lambda m: m.group().upper(), keyword
    )


def without_repeating(brief: Brief, line: str) -> str:
    """ "It detects fraudulent invoices", after a question about them: "It detects them"."""
    thing = striving(brief.pain).partition(" ")[2] if brief.pain_shape is Shape.STRIVING else brief.pain
    if brief.pain_shape not in (Shape.NOUN, Shape.STRIVING) or not thing:
        return line
    for form in shorter(thing):
        if words.is_plural(form.rsplit(" ", 1)[-1].lower()) and re.search(rf"\b{re.escape(form)}\b", line):
            return re.sub(rf"\b{re.escape(form)}\b", "them", line, count=1)
    return line


def repeats(text: str) -> bool:
    """Whether a word of weight stands in the text twice ("Fraudulent invoices? It detects fraudulent invoices")."""
    lemmas = [words.lemma(t.lower) for t in words.tokenize(text) if len(t.text) > 3 and t.lower not in words.STOPWORDS]
    return len(lemmas) != len(set(lemmas))
