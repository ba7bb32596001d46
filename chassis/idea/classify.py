"""Category, product form, customer type and business model: each with the words it rests on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from chassis.idea import leadin
from chassis.idea import words as w
from chassis.idea.categories import CATEGORIES, GENERAL
from chassis.idea.categories_words import EVERYDAY
from chassis.idea.category import Category
from chassis.idea.lexicon import ANALOGUE, ANALOGUES, CONSUMERS, FORMS, PUBLIC
from chassis.idea.nouns import head_of
from chassis.idea.people import TRADES
from pipeline.v1 import common_pb2 as pb

# A category needs more than weak hints.
_SCORE_MIN = 2.0
# Fields that cut across the others: a clinic's scheduling tool is health care first.
_HORIZONTAL = frozenset({"business-operations", "government", "manufacturing", "social"})
_HORIZONTAL_WEIGHT = 0.75


class Hit(NamedTuple):
    """A decision and the words that led to it; `stated` is False where it was inferred."""

    value: int
    basis: str
    stated: bool


class CategoryHit(NamedTuple):
    """The category and the words that spoke for it; `score` 0 for the general one."""

    category: Category
    basis: tuple[str, ...]
    score: float


@cache
def _terms() -> tuple[tuple[Category, tuple[tuple[str, float], ...]], ...]:
    made = []
    for category in CATEGORIES:
        weights: dict[str, float] = {}
        everyday = EVERYDAY.get(category.slug, "")
        for text, weight in (
            (category.weak, 1.0),
            (everyday, 2.0),
            (category.medium, 2.0),
            (category.strong, 3.0),
        ):
            for term in text.split(","):
                if term.strip():
                    weights[_normal(term.strip())] = weight
        # Longest first: "startup idea" counts once, not again as "idea".
        for phrase in weights:
            if " " in phrase:
                weights[phrase] = max(weights[phrase], *(weights.get(word, 0.0) for word in phrase.split()))
        ordered = sorted(weights.items(), key=lambda pair: (-len(pair[0].split()), -len(pair[0])))
        made.append((category, tuple(ordered)))
    return tuple(made)


@cache
def known_words() -> frozenset[str]:
    """All single words of the category lexicon (lemmas): known English."""
    return frozenset(word for _, terms in _terms() for term, _ in terms for word in term.split())


@cache
def _phrases() -> tuple[str, ...]:
    """All terms of several words, longest first."""
    return tuple(
        sorted({term for _, terms in _terms() for term, _ in terms if " " in term}, key=lambda term: -len(term))
    )


def _without_phrases(line: str) -> str:
    """The line without any field's phrases of several words."""
    for phrase in _phrases():
        if f" {phrase} " in line:
            line = line.replace(f" {phrase} ", " | ")
    return line


def _normal(text: str) -> str:
    return " ".join(w.singular(token.lower) for token in w.tokenize(text) if token.is_word)


def lemmas(text: str) -> str:
    """The words of a text, lower-case and singular, as one line padded with spaces (for phrase look-ups)."""
    parts: list[str] = []
    for token in w.tokenize(text):
        if token.is_word:
            parts.append(w.singular(token.lower))
    return f" {' '.join(parts)} "


def categorise(text: str, focus: str = "", audience: str = "") -> CategoryHit:
    """The best category of a text; words of `focus` (head, problem, mechanisms) count half as much again, the
    audience's a quarter: what is done tells more about the field than for whom."""
    line, sharp, who = lemmas(text), lemmas(focus), lemmas(audience)
    line_parts = f" {line.replace('-', ' ')} "
    uncovered = _without_phrases(line_parts)
    verbs = " ".join(
        w.base_of_gerund(word) or w.base_of_participle(word) or w.base_of_third(word) for word in line.split()
    )
    best = CategoryHit(GENERAL, (), 0.0)
    for category, terms in _terms():
        weights = dict(terms)
        score, basis = 0.0, []
        used: set[str] = set()
        for term, weight in terms:
            padded = f" {term} "
            if term in used:
                continue
            found = padded in line or padded in line_parts
            if found and " " not in term and padded in line_parts and padded not in uncovered:
                # "letting agents", "food bank": the word belongs to a phrase of another field.
                found = any(
                    padded in f" {phrase} " for phrase in weights if " " in phrase and f" {phrase} " in line_parts
                )
            if not found and " " not in term and term not in _VEHICLES:
                found = padded in f" {verbs} "
            if found:
                used.update(term.split())
                used.add(w.base_of_gerund(term) or term)
                factor = 1.5 if padded in sharp else 1.25 if padded in who else 1.0
                score += weight * factor * (1.4 if " " in term else 1.0)
                basis.append((weight * factor, term))
        if category.slug in _HORIZONTAL:
            score *= _HORIZONTAL_WEIGHT
        telling = any(weights[term] > 1 for _, term in basis)
        if telling and score > best.score and score >= _SCORE_MIN:
            basis.sort(key=lambda pair: -pair[0])
            best = CategoryHit(category, tuple(term for _, term in basis[:6]), score)
    return best


# "An application", "a web application"; those for a grant are another thing.
_APPLICATION = r" application (?=$|for |that |to |which |where |with |in )(?<!grant application )(?<!job application )"


def product_form(head: str, text: str) -> Hit:
    """What the thing is, by the last form word of its head; else by the first form word of the text."""
    analogue = ANALOGUE.match(leadin.strip_lead_in(text)[0])
    if analogue and analogue["company"].lower() in ANALOGUES:
        return Hit(ANALOGUES[analogue["company"].lower()][1], analogue["company"], True)
    for source in (head, text):
        line = re.sub(_APPLICATION, " app ", lemmas(source))
        best: tuple[int, pb.ProductForm.ValueType, str] | None = None
        for words, form in FORMS:
            for phrase in words.split("|"):
                at = line.rfind(f" {phrase} ") if source is head else line.find(f" {phrase} ")
                if at < 0:
                    continue
                end = at + len(phrase)
                rank = (end, len(phrase)) if source is head else (-at, len(phrase))
                if best is None or rank > (best[0], len(best[2])):
                    best = (rank[0], form, phrase)
        if best is not None:
            form = best[1]
            if re.search(r" (?:mobile|ios|android|phone|smartphone) (?:\w+ ){0,3}(?:app|game|application) ", line) or (
                best[2] in {"app", "game", "application", "diary"}
                and not re.search(r" (?:web|desktop|b2b|enterprise) ", lemmas(text))
            ):
                form = pb.PRODUCT_FORM_MOBILE_APP
            elif best[2] == "drone" and " service " in line:
                form = pb.PRODUCT_FORM_SERVICE
            if source is head or best[2] not in {"bottle", "ring", "watch", "glasses", "helmet", "backpack",
                "collar", "bracelet", "stroller",
                "appliance", "product", "game", "network", "club", "course", "school", "shop",
                "store",
                "box",
                "machine",
                                                  "robot", "camera", "drone", "sensor", "database", "model", "agent",
                                                  "program",
                                                  "device",
                                                  "hardware", "clinic", "delivery", "engine", "infrastructure",
                                                  "protocol",
                                                  "library",
                                                  "kit",
                                                  "community", "calendar", "exchange", "gym", "cafe", "hub", "board",
                                                  "system",
                                                  "extension",
                                                  "monitor", "academy", "simulator", "gateway", "mobile", "editor",
                                                  "studio",
                                                  "agency"}:  # fmt: skip
                return Hit(form, best[2], source is head and best[2] not in {"solution", "product"})
    return Hit(pb.PRODUCT_FORM_UNSPECIFIED, "", False)


def customer_type(text: str, form: int, audiences: Sequence[str], default_audience: str, sides: int = 0) -> Hit:
    """Who buys: as stated ("B2B"), by form (a marketplace), by the audience's kind, else by the category's buyers."""
    stated = re.search(r"\b(B2B2C|B2B|B2C|B2G|C2C|P2P)\b", text)
    if stated:
        kind = {"B2G": pb.CUSTOMER_TYPE_B2G, "B2C": pb.CUSTOMER_TYPE_B2C, "C2C": pb.CUSTOMER_TYPE_MARKETPLACE,
                "P2P": pb.CUSTOMER_TYPE_MARKETPLACE}.get(stated.group(1), pb.CUSTOMER_TYPE_B2B)  # fmt: skip
        return Hit(kind, stated.group(1), True)
    if form == pb.PRODUCT_FORM_MARKETPLACE or re.search(
        r"\b(?:marketplace|peer-to-peer|two-sided)\b", text, re.IGNORECASE
    ):
        return Hit(pb.CUSTOMER_TYPE_MARKETPLACE, "marketplace", True)
    if sides > 1:
        return Hit(pb.CUSTOMER_TYPE_MARKETPLACE, ", ".join(audiences[:2]), True)
    if re.search(
        r"\b(?:for|to|in|at)\s+(?:\w+\s+){0,2}(?:businesses|companies|enterprises?|firms|teams|organi[sz]ations)\b",
        text,
        re.IGNORECASE,
    ):
        return Hit(pb.CUSTOMER_TYPE_B2B, "businesses", True)
    for audience in audiences:
        head = head_of(audience)
        leisure = re.match(r"(?:people|hobby|amateur|recreational|retired|aspiring)\b", audience, re.IGNORECASE)
        if leisure:
            return Hit(pb.CUSTOMER_TYPE_B2C, audience, True)
        tail = head.rpartition("-")[2]
        if head in PUBLIC:
            return Hit(pb.CUSTOMER_TYPE_B2G, audience, True)
        if head in CONSUMERS or tail in CONSUMERS:
            business = re.search(
                r"\b(?:business|shop|store|restaurant|clinic|company|factory|brand|hotel|practice|salon|gym|"
                r"farm|agency|sales|office|field|warehouse|delivery|service)\b",
                audience,
            )
            return Hit(pb.CUSTOMER_TYPE_B2B if business else pb.CUSTOMER_TYPE_B2C, audience, True)
        boxed = re.search(r"\b(?:subscription box|box of|meal kit|monthly box)\b", text, re.IGNORECASE)
        if (form == pb.PRODUCT_FORM_MOBILE_APP or boxed) and head not in _ORGANISATIONS | TRADES:
            # A phone in the hand, or a parcel at the door, of one person, whatever their trade.
            return Hit(pb.CUSTOMER_TYPE_B2C, audience, True)
        return Hit(pb.CUSTOMER_TYPE_B2B, audience, True)
    own = re.search(
        r"\byour\s+(?!team|business|company|staff|employees|clients|customers|office)\w+", text, re.IGNORECASE
    )
    if own:
        return Hit(pb.CUSTOMER_TYPE_B2C, own.group(), True)
    if form == pb.PRODUCT_FORM_MOBILE_APP and default_audience and private(text):
        return Hit(pb.CUSTOMER_TYPE_B2C, "", False)
    if default_audience:
        consumers = head_of(default_audience) in CONSUMERS
        return Hit(pb.CUSTOMER_TYPE_B2C if consumers else pb.CUSTOMER_TYPE_B2B, default_audience, False)
    if form == pb.PRODUCT_FORM_MOBILE_APP:
        # On a phone, for nobody in particular.
        return Hit(pb.CUSTOMER_TYPE_B2C, "", False)
    return Hit(pb.CUSTOMER_TYPE_UNSPECIFIED, "", False)


def private(text: str) -> bool:
    """Whether a text speaks of private life: a shared flat, birthdays, the family."""
    return bool(
        re.search(r"\b(?:shared flat|flat ?share|birthdays?|family|friends?|at home|my|me|you)\b", text, re.IGNORECASE)
    )


# Lessons are no trains: words that a verb's form does not stand for.
_VEHICLES = frozenset({"train", "coach", "ship"})
_ORGANISATIONS = frozenset(
    "non-profit museum association council parish library theatre brewery winery business company firm team "
    "clinic hospital practice school university college lab laboratory agency "
    "studio shop store restaurant "
    "cafe bakery bar hotel hostel supermarket gym department enterprise organisation organization sme retailer "
    "manufacturer factory "
    "plant farm farmer grower bank insurer lender charity nonprofit city municipality council government "
    "operator provider club "
    "startup contractor manager landlord employer recruiter warehouse office hall institution museum salon "
    "garage dealer".split()
)

_STATED_MODELS = (
    (r"\bfreemium\b|\bfree (?:tier|plan|version)\b", pb.BUSINESS_MODEL_FREEMIUM),
    (
        r"\b(?:pay[- ]per[- ]\w+|usage[- ]based|metered|per[- ]call pricing|pay as you go)\b",
        pb.BUSINESS_MODEL_USAGE_BASED,
    ),
    (r"\b(?:subscription|saas|monthly fee|per seat|licen[cs]ing|software licen[cs]e|membership|"
    r"[\w-]+-as-a-service|per month|a month)\b",
     pb.BUSINESS_MODEL_SUBSCRIPTION),
    (r"\b(?:commission|take rate|percentage of (?:each|every) (?:booking|sale))\b", pb.BUSINESS_MODEL_MARKETPLACE_FEE),
    (
        r"\b(?:transaction fee|interchange|per transaction|revenue split|revenue share)\b",
        pb.BUSINESS_MODEL_TRANSACTION_FEE,
    ),
    (r"\b(?:ad-supported|advertising revenue|funded by ads|sponsored listings)\b", pb.BUSINESS_MODEL_ADVERTISING),
    (r"\bsale of hardware\b", pb.BUSINESS_MODEL_HARDWARE_SALE),
)  # fmt: skip


def business_model(text: str, form: int, customer: int) -> Hit:
    """How it earns: as stated, else what is usual for its form and buyers (then `stated` is False)."""
    for pattern, model in _STATED_MODELS:
        if match := re.search(pattern, text, re.IGNORECASE):
            return Hit(model, match.group(), True)
    if form == pb.PRODUCT_FORM_MARKETPLACE or customer == pb.CUSTOMER_TYPE_MARKETPLACE:
        return Hit(pb.BUSINESS_MODEL_MARKETPLACE_FEE, "", False)
    usual = {
        pb.PRODUCT_FORM_API: pb.BUSINESS_MODEL_USAGE_BASED,
        pb.PRODUCT_FORM_SERVICE: pb.BUSINESS_MODEL_SERVICE_FEE,
        pb.PRODUCT_FORM_HARDWARE: pb.BUSINESS_MODEL_HARDWARE_SALE,
    }
    if form in usual:
        return Hit(usual[pb.ProductForm.ValueType(form)], "", False)
    if customer == pb.CUSTOMER_TYPE_B2C:
        return Hit(pb.BUSINESS_MODEL_FREEMIUM, "", False)
    if customer in (pb.CUSTOMER_TYPE_B2B, pb.CUSTOMER_TYPE_B2G):
        return Hit(pb.BUSINESS_MODEL_SUBSCRIPTION, "", False)
    return Hit(pb.BUSINESS_MODEL_UNSPECIFIED, "", False)


def segment(category: Category, text: str) -> str:
    """The search advertising segment that fits, or an empty string."""
    line = lemmas(text)
    if category.slug == "health":
        if re.search(r" (?:dentist|dental|orthodontist) ", line):
            return "Dentists & dental services"
        clinical = re.search(
            r" (?:clinic|doctor|physician|patient|hospital|nurse|surgeon|medical|telehealth|telemedicine|"
            r"physiotherapy) ",
            line,
        )
        return category.segment if clinical else "Health & fitness"
    if category.slug == "mobility":
        repair = re.search(r" (?:car|vehicle|auto|garage|mechanic|tyre|tire) ", line) and not re.search(
            r" (?:autonomous|fleet|drone) ", line
        )
        return category.segment if repair else ""
    if category.slug == "real-estate" and re.search(r" (?:renovation|lawn|mowing|plumber|handyman|electrician|"
    r"cleaning|construction|builder|"
                                                    r"interior|homeowner|tradesperson) ", line):  # fmt: skip
        return "Home & home improvement"
    if category.slug == "retail" and re.search(r" (?:beauty|cosmetic|makeup|skincare|salon|hair) ", line):
        return "Beauty & personal care"
    return category.segment
