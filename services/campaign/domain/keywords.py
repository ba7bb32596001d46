"""Search keywords with match types: the idea's own words, the products it competes with, and what to keep out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from chassis.idea import verbs, words
from pipeline.v1 import campaign_pb2, common_pb2
from pipeline.v1.campaign_pb2 import Keyword, KeywordMatch
from pipeline.v1.common_pb2 import EvidenceItem
from services.campaign.domain.brief import GENERIC_HEADS, Brief
from services.campaign.domain.phrases import clean
from services.campaign.domain.pieces import audience_forms

EXACT = campaign_pb2.KEYWORD_MATCH_EXACT
PHRASE = campaign_pb2.KEYWORD_MATCH_PHRASE
BROAD = campaign_pb2.KEYWORD_MATCH_BROAD

IDEA_KEYWORDS_MAX = 12
ALTERNATIVES_MAX = 8
# Google Ads: at most 80 characters and ten words a keyword.
KEYWORD_CHARS_MAX = 80
KEYWORD_WORDS_MAX = 10

# Searches that want something else than a product: work, knowledge, material, or a pirated copy.
_NEGATIVES = (
    "jobs", "job", "career", "careers", "salary", "salaries", "internship", "vacancy", "resume", "definition",
    "meaning", "what is", "wikipedia", "pdf", "template", "clipart", "images", "essay", "thesis", "statistics",
    "news", "stock price", "lawsuit", "crack", "torrent", "login", "reddit",
)  # fmt: skip
# ... by field: negatives that the field's own words attract.
_BY_CATEGORY: dict[str, tuple[str, ...]] = {
    "food": ("restaurant near me", "delivery near me", "calories in"),
    "health": ("symptoms", "near me", "emergency", "nhs login"),
    "fintech": ("customer service number", "phone number", "loan near me"),
    "education": ("answers", "answer key", "teaching degree", "worksheet"),
    "agriculture": ("games", "toy", "simulator", "minecraft"),
    "developer-tools": ("interview questions", "certification"),
    "ai-infrastructure": ("interview questions", "certification", "image generator"),
    "hr": ("interview questions", "cover letter"),
    "real-estate": ("for sale near me", "zillow"),
    "travel": ("visa requirements", "weather"),
    "legal": ("law school", "bar exam"),
    "pets": ("adoption", "breeder"),
    "fitness": ("steroids", "near me"),
    "security": ("interview questions", "certification", "guard jobs"),
    "mobility": ("driving test", "used cars"),
    "science": ("homework", "exam"),
    "startup-tools": ("startup sound", "windows startup", "business plan example"),
}
# "Free" is kept out only where nothing about the idea can be free of charge.
_PAYING = "free download"
# By customer: at work nobody means a toy, a course or a home; at home nobody means a supplier.
_BY_CUSTOMER: dict[common_pb2.CustomerType.ValueType, tuple[str, ...]] = {
    common_pb2.CUSTOMER_TYPE_B2B: ("for home", "for kids", "diy", "course", "tutorial", "for students"),
    common_pb2.CUSTOMER_TYPE_B2G: ("for home", "for kids", "diy", "course", "tender results", "phone number"),
    common_pb2.CUSTOMER_TYPE_B2C: ("wholesale", "supplier", "enterprise", "for business", "source code"),
    common_pb2.CUSTOMER_TYPE_MARKETPLACE: ("wholesale", "franchise", "clone script", "source code", "customer service"),
}
FEW_KEYWORDS = 4
# Longer searches than this are too rare to be worth a bid.
TIED_WORDS_MAX = 6
AUDIENCE_CHARS_MAX = 30
_NO_NOUN = re.compile(r"(?:ent|ous|ful|less|ive|able|ible|ed|ly|ated)$")
_EVERYDAY = frozenset({"hand", "time", "people", "thing", "work", "place", "other", "help", "user", "need", "make"})
# Letters and digits of any script; what Google Ads refuses ("Add negative keywords": , ! @ % ^ () = {} ; ~ ` <> ? \\ |)
# goes, and so do "_" and signs that mean a match type or an operator.
_BARE = re.compile(r"[^\w\s'&./-]|_", re.UNICODE)


def plan_keywords(brief: Brief, evidence: Sequence[EvidenceItem]) -> list[Keyword]:
    """Positive keywords first (exact and phrase for two words and more), then alternatives, then negatives."""
    keywords: list[Keyword] = []
    usable = [k for k in (_usable(k) for k in brief.keywords) if k]
    label = _usable(brief.category_label)
    # Who searches for "central bank" wants one: the audience's own name finds other people than the audience.
    multi = [k for k in usable if " " in k and k != label and k not in brief.people][:IDEA_KEYWORDS_MAX]
    for text in multi:
        keywords.append(Keyword(text=text, match=PHRASE))
        keywords.append(Keyword(text=text, match=EXACT))
    keywords += [Keyword(text=text, match=PHRASE) for text in _with_product(brief, usable, multi)]
    for name in _alternatives(evidence):
        keywords.append(Keyword(text=f"{name} alternative", match=PHRASE))
    positive = _unique(keywords)
    said = {t for k in positive for t in k.text.split()} | {t for k in brief.keywords for t in k.lower().split()}
    return positive + [
        Keyword(text=n, match=PHRASE if " " in n else BROAD, negative=True) for n in _negatives(brief, said)
    ]


def _with_product(brief: Brief, usable: Sequence[str], multi: Sequence[str]) -> list[str]:
    """What it is about tied to what it is ("food waste app"), and what it is for whom ("scheduling tool for clinics").

    A single word is too wide to buy alone; it serves only tied, only as a noun, and only where little else is known.
    """
    form = _searched_form(brief)
    singles = [k for k in usable if " " not in k and len(k) > 3 and not _NO_NOUN.search(k) and k not in _EVERYDAY]
    singles = [k for k in singles if not words.is_base_verb(k) or k in verbs.MOSTLY_NOUNS]
    inside = {word for k in multi for word in k.split()}
    singles = [k for k in singles if k not in inside]
    forms = audience_forms(brief.audience)
    audience = next((form for form in forms if len(form) <= AUDIENCE_CHARS_MAX), forms[-1] if forms else "")
    about = [*multi[:2], *(singles if len(multi) < FEW_KEYWORDS else [])[:3]]
    tied = [f"{words.singular(k)} {form}" for k in about if form.lower() not in k.split()]
    whole = form if brief.product == "tool" else brief.product
    for_whom = [f"{whole} for {audience}"] if brief.product and audience else []
    return [k for k in (_usable(t) for t in (*tied, *for_whom)) if k and len(k.split()) <= TIED_WORDS_MAX]


def _searched_form(brief: Brief) -> str:
    """What is typed for a product of this kind: its own word where people know it, else software at work, else app."""
    form = brief.product.rsplit(" ", 1)[-1].lower()
    if form in GENERIC_HEADS - {"tool", "infrastructure", "system", "platform"}:
        return form
    return "software" if brief.professional else "tool"


def _negatives(brief: Brief, said: set[str]) -> list[str]:
    """Negatives that do not block the idea's own words ("jobs" stays allowed for a job board)."""
    lemmas = {words.lemma(w) for w in said}
    about = " ".join(sorted(said))
    chosen = [*_NEGATIVES, _PAYING, *_BY_CATEGORY.get(brief.category, ()), *_BY_CUSTOMER.get(brief.customer, ())]
    return words.unique(n for n in chosen if n not in about and not {words.lemma(w) for w in n.split()} & lemmas)


def _alternatives(evidence: Sequence[EvidenceItem]) -> list[str]:
    """Names of products found as competition, most relevant first; names only, no claim about them."""
    found: list[tuple[float, str]] = []
    for item in evidence:
        if item.HasField("product") and item.stance != common_pb2.STANCE_UNSPECIFIED:
            found += [(item.composite, name) for name in (*item.product.alternative_to, item.product.name)]
    names = [_usable(name) for _, name in sorted(found, key=lambda pair: (-pair[0], pair[1]))]
    return words.unique(n for n in names if n and len(n.split()) <= 3)[:ALTERNATIVES_MAX]


def _usable(text: str) -> str:
    """A keyword as Google Ads takes it: lower case, no symbols, within its bounds; empty when nothing is left."""
    plain = " ".join(_BARE.sub(" ", clean(text).lower()).split()).strip("'&.+/- ")
    if not plain or not any(c.isalnum() for c in plain):
        return ""
    return plain if len(plain) <= KEYWORD_CHARS_MAX and len(plain.split()) <= KEYWORD_WORDS_MAX else ""


def _unique(keywords: Iterable[Keyword]) -> list[Keyword]:
    seen: set[tuple[str, KeywordMatch.ValueType]] = set()
    kept = []
    for keyword in keywords:
        if (keyword.text, keyword.match) not in seen:
            seen.add((keyword.text, keyword.match))
            kept.append(keyword)
    return kept
