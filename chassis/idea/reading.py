"""Reads an idea: one profile, seven claims, and whatever tries to instruct the reader; pure and repeatable."""

from __future__ import annotations

import re
from dataclasses import dataclass

from chassis.idea import (
    classify,
    extract,
    interpret,
    language,
    naming,
    nouns,
    pains,
    regulated,
    spelling,
    subjects,
    suspicious,
)
from chassis.idea import words as w
from chassis.idea.category import Category
from chassis.idea.claims import ClaimFacts, claims
from chassis.idea.lexicon import ACTORS, CONSUMERS, FORM_WORDS, HARD, PAINS
from chassis.idea.roles import Roles
from chassis.idea.verbs import VERBS
from pipeline.v1 import common_pb2 as pb

ONE_LINER_CHARS_MAX = 140
# The profile's fields that a text can give a basis for; coverage is the share of them that it did.
FIELDS = (
    "one_liner", "audiences", "problem", "solution", "mechanisms", "category", "customer_type", "business_model",
    "product_form", "features", "keywords", "entities",
)  # fmt: skip


# "Software for undertakers": what form a product has says nothing about its field.
_FORM_ONLY = re.compile(
    r"^(\W*(?:an?\s|the\s|our\s)?(?:[\w-]+\s)?)(?:software|tool|platform)\b(?=\s(?:for|that|to|which|in)\b)", re.I
)


_CHILDREN = re.compile(r"\b(?:children|child|kids?|toddlers?|preschoolers?)\b", re.IGNORECASE)


@dataclass(frozen=True)
class IdeaReading:
    """What one text says: profile, claims in their fixed order, suspicious passages (data, never instructions)."""

    profile: pb.IdeaProfile
    claims: tuple[pb.Claim, ...]
    suspicious: tuple[str, ...]


def read_idea(text: str, name: str = "") -> IdeaReading:
    """Reads a normalised text (see `text.normalise`) and the founder's working title; never raises on odd input."""
    passages = suspicious.find(text)
    written = text
    text, undo = spelling.mend(text)
    code, _ = language.detect(text, _known_english(text))
    english = code in {"en", ""}
    found = interpret.read_roles(text) if english else Roles(head="", main=text)
    line = classify.lemmas(text)
    who = [] if found.labelled else found.audiences
    focus = " ".join([found.head, found.problem, *(m.base_form for m in found.mechanisms)])
    for audience in who:
        focus = focus.replace(audience, " ")
    # "A B2B (SaaS / Edge API) solution": how it is sold says nothing about the field.
    plain = _FORM_ONLY.sub(r"\1", re.sub(r"(?<=B2B|B2G|M2M) \([^)]*\)", "", text, count=1))
    hit = classify.categorise(plain, focus, " ".join(who))
    category = hit.category
    profile = pb.IdeaProfile(idea=written, language=code, category=category.slug, category_label=category.label)
    basis: dict[str, str] = dict(found.basis)
    basis.pop("head", None)
    inferred: list[str] = []
    if hit.basis:
        basis["category"] = ", ".join(hit.basis[:4])
    _who(profile, found, category, basis, inferred)
    _what(profile, found, basis, inferred)
    _kinds(profile, found, text, category, basis, inferred)
    things, from_lexicon = extract.entities(found, category, line)
    profile.entities.extend(things)
    if things:
        basis["entities"] = ", ".join(things[:4])
        if from_lexicon:
            inferred.append("entities")
    if english:
        profile.features.extend(extract.features(found, profile.product_form, profile.entities))
        if profile.features:
            basis["features"] = ", ".join(f.title for f in profile.features[:3])
            if not found.mechanisms and not found.outcomes:
                inferred.append("features")
    profile.keywords.extend(extract.keywords(found, category, hit.basis, (name,)) or _plain_keywords(text))
    if profile.keywords:
        basis["keywords"] = ", ".join(profile.keywords[:3])
    given = [candidate for candidate in (name.strip(), found.name) if candidate]
    words = _name_words(found, profile) if english else sorted(profile.keywords, key=lambda word: -len(word))
    profile.names.extend(naming.coin(words, category, given))
    for key, value in basis.items():
        profile.basis[key] = value
    profile.one_liner = one_liner(found, profile, text)
    if profile.one_liner:
        basis["one_liner"] = w.clip(found.main or text, 160)
    profile.regulated_fields.extend(regulated.find(written))
    if hit.score:
        profile.benchmark_segment = classify.segment(category, text)
    profile.inferred_fields.extend(sorted(set(inferred)))
    for key, value in basis.items():
        profile.basis[key] = spelling.as_written(value, undo)
    stated = [field for field in FIELDS if field in basis and field not in inferred]
    profile.coverage = round(len(stated) / len(FIELDS), 2)
    return IdeaReading(profile, claims(_facts(profile, found)), passages)


def _known_english(text: str) -> int:
    known = classify.known_words()
    count = 0
    for token in w.tokenize(text):
        lower = token.lower
        if (
            lower in FORM_WORDS
            or lower in VERBS
            or w.singular(lower) in ACTORS
            or w.singular(lower) in known
            or w.base_of_gerund(lower)
        ):
            count += 1
    return count


def _who(profile: pb.IdeaProfile, found: Roles, category: Category, basis: dict[str, str], inferred: list[str]) -> None:
    profile.audiences.extend(found.audiences)
    homely = classify.private(profile.idea) and nouns.head_of(category.audience) not in CONSUMERS
    if (
        not found.audiences
        and category.audience
        and not homely
        and not re.search(r"\b(?:your|people)\b", profile.idea, re.IGNORECASE)
    ):
        # Children use it; whoever decides and pays for them is spoken to.
        paying = nouns.head_of(category.audience) in CONSUMERS and _CHILDREN.search(profile.idea)
        profile.audiences.append("parents" if paying else category.audience)
        basis["audiences"] = basis.get("category", "")
        inferred.append("audiences")


def _what(profile: pb.IdeaProfile, found: Roles, basis: dict[str, str], inferred: list[str]) -> None:
    profile.problem, profile.solution = found.problem, found.solution
    if found.problem and found.problem_inferred:
        inferred.append("problem")
    if found.solution and found.solution_inferred:
        inferred.append("solution")
    mechanisms = w.unique(m.gerund_form for m in found.mechanisms)
    profile.mechanisms.extend(mechanisms)
    if mechanisms:
        basis["mechanisms"] = "; ".join(w.unique(m.basis for m in found.mechanisms))[:200]


def _kinds(
    profile: pb.IdeaProfile, found: Roles, text: str, category: Category, basis: dict[str, str], inferred: list[str]
) -> None:
    form = classify.product_form(found.head, text)
    value = form.value
    if not value and found.solution:
        # A sentence that only says what is done describes software unless it says otherwise.
        value = pb.PRODUCT_FORM_WEB_APP
    profile.product_form = pb.ProductForm.ValueType(value)
    if form.basis:
        basis["product_form"] = form.basis
    if value and not form.stated:
        inferred.append("product_form")
    default = "" if found.audiences else category.audience
    customer = classify.customer_type(text, value, found.audiences, default, found.sides)
    profile.customer_type = pb.CustomerType.ValueType(customer.value)
    if customer.basis:
        basis["customer_type"] = customer.basis
    if customer.value and not customer.stated:
        inferred.append("customer_type")
    model = classify.business_model(text, value, customer.value)
    profile.business_model = pb.BusinessModel.ValueType(model.value)
    if model.value and model.stated:
        basis["business_model"] = model.basis
    elif model.value:
        inferred.append("business_model")


def _plain_keywords(text: str) -> list[str]:
    words = [t.lower for t in w.tokenize(text) if t.is_word and len(t.text) > 3 and t.lower not in w.STOPWORDS]
    return w.unique(words)[:8]


def _name_words(found: Roles, profile: pb.IdeaProfile) -> list[str]:
    words: list[str] = []
    for phrase in found.mechanisms:
        for chunk in extract.noun_chunks(phrase.rest)[:1]:
            words.append(chunk.split()[-1] if chunk.split()[-1] not in {"dates", "date", "time"} else chunk.split()[0])
    for feature in profile.features[:3]:
        words.extend(chunk.split()[-1] for chunk in extract.noun_chunks(feature.title.partition(" ")[2])[:2])
    if found.labelled:
        words.extend(word for phrase in extract.noun_chunks(found.problem) for word in phrase.split()[-1:])
    for entity in profile.entities:
        words.extend(entity.split()[:1])
    words.extend(word for phrase in extract.noun_chunks(found.problem) for word in phrase.split()[-1:])
    words.extend(nouns.head_of(audience) for audience in found.audiences)
    words.extend(word for keyword in profile.keywords for word in keyword.split())
    return [word for word in words if _nameable(word)]


def _nameable(word: str) -> bool:
    """Whether a product may be called after the word: no pain, no adjective, no unit."""
    base = w.singular(word)
    if base in w.STOPWORDS or base in _UNNAMEABLE_VERBS:
        return False
    if base in {"no-show", "waste", "fraud"}:
        return True
    shaped = w.base_of_participle(word) or (w.base_of_gerund(word) and len(word) > 8)
    return not (base in PAINS | HARD | _UNNAMEABLE or shaped or re.search(r"(?:able|ous|ive|ful|less|ible)$", base))


_UNNAMEABLE_VERBS = frozenset("come lose know want need let happen make connect wait hire join take".split())
_UNNAMEABLE = frozenset(
    "time month year week day hour minute dollar euro million rate level ton ratio lack half percent number arrival "
    "transition discovery massive complete precise indicator end effect world approach face sector state death".split()
)


def one_liner(found: Roles, profile: pb.IdeaProfile, text: str) -> str:
    """What it is, for whom, to which end, at most 140 characters, without a final stop."""
    limit = ONE_LINER_CHARS_MAX
    if profile.language not in {"en", ""}:
        return w.clip(w.sentences(text)[0] if w.sentences(text) else text, limit)
    if found.labelled:
        return _labelled_one_liner(found, limit)
    main = found.main.strip(" .!?,;") or w.clip(text, limit)
    thing = re.match(r"^(?:an?|the|our|my|something|anything)\s", main, re.IGNORECASE)
    form = profile.basis.get("product_form", "")
    if not found.head and main.startswith("It ") and form:
        main = f"{w.article(form)} that {main.removeprefix('It ')}"
    elif found.head and not thing and _countable(found.head):
        main = w.article(w.decapitalise(main))
    main = w.capitalise(main)
    if len(main) <= limit:
        return main
    return _shortened(main, limit)


def _countable(head: str) -> bool:
    """Whether a head such as "clinic scheduling tool" takes an article."""
    last = head.split()[-1].lower()
    return last in FORM_WORDS | {"detector", "assistant", "wearable"} and not (
        last in _MASS_FORMS | {"glasses"} or w.is_plural(last)
    )


def _shortened(main: str, limit: int) -> str:
    plain = re.sub(r"\s(?!only|daily|weekly|monthly|family|early|elderly|friendly)[a-z]+ly(?=\s(?!and\b|,))", "", main)
    if len(plain) <= limit:
        return plain
    cuts = (
        r",\s(?=\w+ing\s|which\s|so\s|who\s|where\s|and\s\w+ing\s)",
        r"\s(?:so that|so|which|because|while|without|before|after|when|preventing|using|through|via)\s",
        r"\s(?:by|with|for|from|in|to|that|into)\s",
    )
    for cut in cuts:
        places = [m.start() for m in re.finditer(cut, main) if limit // 2 <= m.start() <= limit]
        if places:
            return w.clip(main[: places[-1]].rstrip(" ,;"), limit)
    return w.clip(main, limit)


def _labelled_one_liner(found: Roles, limit: int) -> str:
    head = re.sub(r"\s*/\s*", "/", found.head).strip() or "A solution"
    head = w.capitalise(w.article(re.sub(r"^(?:an?|the)\s+", "", head, flags=re.IGNORECASE)))
    goal = found.goal
    for count in (3, 2, 1):
        audience = w.join(found.audiences[:count])
        if goal:
            line = f"{head} that helps {audience} {goal}" if audience else f"{head} to {goal}"
        elif found.problem:
            line = f"{head} for {audience} facing {found.problem}" if audience else f"{head} against {found.problem}"
        else:
            line = f"{head} for {audience}" if audience else head
        if len(line) <= limit:
            return line
    return w.clip(f"{head} for {found.audiences[0]}" if found.audiences else head, limit)


def _product(head: str) -> str:
    """The product within a sentence: with its article where it takes one, its own capitals kept."""
    words = head.split()
    titled = len(words) > 1 and any(word[:1].isupper() and not word.isupper() for word in words[1:])
    name = head if titled else w.decapitalise(head)
    core = re.split(r"\s(?:of|for|to|with|in)\s", head)[0].split()[-1].lower()
    mass = words[-1].lower() in _MASS_FORMS or w.is_plural(core)
    return name if mass else w.article(name)


_MASS_FORMS = frozenset(
    "software middleware infrastructure hardware insurance coaching accounting payroll equipment technology advice "
    "training care management analytics".split()
)


def _is_clause(head: str) -> bool:
    """Whether what stands for the head is a sentence: "we do it in one click", "phone reads the shelf"."""
    first = head.split()[0].lower()
    return (
        first in w.PRONOUNS | {"want", "nobody", "get", "make"}
        or pains.finite_verb(head) > 0
        or subjects.find(head) is not None
    )


def _facts(profile: pb.IdeaProfile, found: Roles) -> ClaimFacts:
    head = re.sub(r"^(?:an?|the|our|my)\s+", "", found.head.strip(), flags=re.IGNORECASE)
    if len(head.split()) > 5:
        head = re.split(r"\s(?:from|that|which|where|who)\s", head)[0]
    if found.labelled or not head or len(head.split()) > 8 or _is_clause(head):
        head = _FORM_NAMES.get(profile.product_form, "product")
    audience = w.join(list(found.audiences[:2])) or "".join(profile.audiences[:1])
    means = ""
    if found.outcomes and found.mechanisms and found.mechanisms[0] not in found.outcomes:
        means = f"by {w.join(list(profile.mechanisms[:2]))}"
    return ClaimFacts(
        product=_product(head),
        audience=audience,
        buyer=profile.audiences[0] if profile.audiences else "",
        problem=profile.problem,
        problem_is_job=found.problem_inferred,
        goal=found.goal,
        means=means if len(means) < 110 else "",
        mechanisms=tuple(profile.mechanisms),
        category=profile.category,
        label=profile.category_label,
        keywords=tuple(profile.keywords[:6]),
        model=profile.business_model,
        regulated=tuple(field.field for field in profile.regulated_fields),
    )


_FORM_NAMES: dict[int, str] = {
    pb.PRODUCT_FORM_MOBILE_APP: "mobile app",
    pb.PRODUCT_FORM_WEB_APP: "software product",
    pb.PRODUCT_FORM_MARKETPLACE: "marketplace",
    pb.PRODUCT_FORM_API: "API",
    pb.PRODUCT_FORM_SERVICE: "service",
    pb.PRODUCT_FORM_HARDWARE: "device",
    pb.PRODUCT_FORM_EXTENSION: "extension",
}
