"""From the profile's slots to phrases that fit into sentences, with their grammar known.

Copy goes wrong where a slot's shape is guessed: "Tired of finding tutors?" or "Suggest recipes" as an offer.
So every phrase gets a shape here (verb phrase, gerund, noun phrase, clause), and a template takes only shapes
that it can carry. Shorter variants are made by leaving out whole parts of a phrase, never by cutting.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from chassis.idea import verbs, words
from pipeline.v1 import common_pb2
from pipeline.v1.common_pb2 import Claim, ClaimKind, IdeaProfile

PHRASE_CHARS_MAX = 200
OUTCOME_CHARS_MAX = 90
PAIN_WORDS_MAX = 8
FUNCTIONS_MAX = 6
KEYWORDS_MAX = 20


class Shape(StrEnum):
    """What a phrase is, grammatically."""

    NONE = "none"
    NOUN = "noun"  # "no-shows"
    GERUND = "gerund"  # "wasting food"
    STRIVING = "striving"  # a gerund of something wanted: "finding a good tutor"
    CLAUSE = "clause"  # a whole statement


@dataclass(frozen=True)
class Function:
    """Something the product does: "track expiry dates" (verb "track"), or a noun phrase (verb empty)."""

    phrase: str
    verb: str
    rest: str
    claim_id: str

    @property
    def third(self) -> str:
        """As said of the product: "tracks expiry dates", "offers automatic reminders"."""
        return f"{words.third(self.verb)} {self.rest}".strip() if self.verb else f"offers {self.phrase}"

    def third_to(self, audience: str, pronoun: str) -> str:
        """The same with the audience, where the function acts on it, as a pronoun: "tells you where to spray"."""
        if not (audience and pronoun and self.verb in _ADDRESSING):
            return self.third
        head = audience.rsplit(" ", 1)[-1]
        for name in (audience, head):
            if re.match(rf"{re.escape(name)}\b", self.rest, re.IGNORECASE):
                rest = self.rest[len(name) :]
                if pronoun == "you":
                    rest = re.sub(r"\btheir\b", "your", re.sub(r"\bthey\b", "you", rest))
                return f"{words.third(self.verb)} {pronoun}{rest}"
        return self.third

    @property
    def title(self) -> str:
        """As a heading of its own: "Tracks expiry dates", "Automatic reminders"."""
        return words.capitalise(self.third if self.verb else self.phrase)

    def shorter(self) -> Iterator[Function]:
        """This function and ever shorter forms of it that still stand as a phrase."""
        for phrase in shorter(self.phrase, self.verb):
            yield make_function(phrase, self.claim_id)


@dataclass(frozen=True)
class Brief:
    """Everything that the copy may say, in usable grammar. Empty strings where the idea gives no basis."""

    name: str
    product: str  # noun phrase without article: "scheduling tool"
    audience: str  # plural noun phrase: "small clinics"
    others: tuple[str, ...]  # further audiences
    idea: str  # the idea's own words
    functions: tuple[Function, ...]
    outcome: str  # verb phrase in the base form, said to the reader: "waste less food"
    pain: str
    pain_shape: Shape
    keywords: tuple[str, ...]
    topic: str  # a short noun phrase for fallbacks: "food waste"
    category: str
    category_label: str
    form: common_pb2.ProductForm.ValueType
    professional: bool  # the reader is at work
    regulated: tuple[str, ...]
    numbers: frozenset[str]
    claims: tuple[tuple[int, str], ...]  # claim kind, claim id

    @property
    def subject(self) -> str:
        """How a sentence starts that speaks of the product: its name, or "The scheduling tool"."""
        return self.name or (f"The {self.product}" if self.product else "The idea")

    def claim(self, *kinds: ClaimKind.ValueType) -> str:
        """Id of the first claim of one of these kinds, else of any claim, else empty."""
        for kind in kinds:
            for known, claim_id in self.claims:
                if known == kind:
                    return claim_id
        return self.claims[0][1] if self.claims else ""


_BREAKS = re.compile(
    r"\s(?=(?:before|after|when|whenever|while|so|that|which|where|who|using|with|without|by|in|across|from|through|via|"
    r"during|between|for|on|at|under|near|against|inside|within|based|about|and)\s)|[,;:]\s"
)


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ADDRESSING = verbs.INFORMING | verbs.MATCHING | verbs.ENABLING
# Verbs whose meaning needs what follows the object.
_WHOLE = (
    verbs.INFORMING
    | verbs.MATCHING
    | verbs.ENABLING
    | _set(
        "turn convert transform translate map put replace swap trade change split route assign compare distinguish "
        "prevent protect stop rid keep provide supply equip charge share integrate sync"
    )
)
# "validating ideas by hand": the manner is the point.
_MANUAL = re.compile(r"\b(?:by hand|manually|on paper|in spreadsheets?|without)\b", re.IGNORECASE)
# Gerunds of things that people want and find hard, rather than of things that hurt.
_WANTED = _set(
    "find choose get know match connect plan learn teach decide manage keep build design create make understand "
    "measure hire schedule organise organize validate prove run grow develop discover identify detect track monitor "
    "maintain coordinate train scale secure migrate verify simulate select evaluate book reach sell buy"
)
_NOMINAL = {
    "validation": "validate", "detection": "detect", "management": "manage", "scheduling": "schedule",
    "tracking": "track", "monitoring": "monitor", "planning": "plan", "analysis": "analyse",
    "generation": "generate", "delivery": "deliver", "automation": "automate", "optimization": "optimize",
    "optimisation": "optimise", "prediction": "predict", "forecasting": "forecast", "booking": "book",
    "rental": "rent", "sharing": "share", "comparison": "compare", "verification": "verify",
    "translation": "translate", "transcription": "transcribe", "inspection": "inspect", "testing": "test",
    "screening": "screen", "reporting": "report", "organisation": "organise", "prevention": "prevent",
    "simulation": "simulate", "discovery": "discover", "recycling": "recycle", "repair": "repair",
}  # fmt: skip
_PRODUCT_END = re.compile(
    r"\s+(?:that|which|who|for|to|helping|using|designed|providing|with|where|acting|capable|built|based on|targeting|"
    r"powered by|by|in|on|at|when|so|connecting|matching|letting|allowing|enabling|offering|of|from)\b|[.;:—–]"
)
_OPENING = re.compile(rf"(?:an?|the|our|my)\s+(.{{2,90}}?)(?:{_PRODUCT_END.pattern}|$)", re.IGNORECASE)
_LABELS = re.compile(r"\b(?:B2B2C|B2B|B2C|B2G|M2M|SaaS)\b\s*(?:/\s*)?", re.IGNORECASE)
_FORM_NAMES = {
    common_pb2.PRODUCT_FORM_MOBILE_APP: "mobile app",
    common_pb2.PRODUCT_FORM_WEB_APP: "web app",
    common_pb2.PRODUCT_FORM_MARKETPLACE: "marketplace",
    common_pb2.PRODUCT_FORM_API: "API",
    common_pb2.PRODUCT_FORM_SERVICE: "service",
    common_pb2.PRODUCT_FORM_HARDWARE: "device",
    common_pb2.PRODUCT_FORM_EXTENSION: "browser extension",
}


def clean(text: str) -> str:
    """One line without control, format and surrogate characters, quotation marks and a closing full stop."""
    kept = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in text[: PHRASE_CHARS_MAX * 4])
    kept = re.sub(r"[\"“”„«»]", "", kept)
    kept = re.sub(r"\s+", " ", kept).strip(" .,;:-–—!?")
    return kept if len(kept) <= PHRASE_CHARS_MAX else ""


def read_brief(profile: IdeaProfile, claims: Sequence[Claim]) -> Brief:
    """The profile's slots as phrases. Never raises: a slot that cannot be used is left empty."""
    ids = tuple((int(claim.kind), claim.id) for claim in claims)
    audiences = [a for a in (_audience(raw) for raw in profile.audiences) if a]
    audience = audiences[0] if audiences else ""
    product = _product(profile)
    functions = _functions(profile)
    outcome = _outcome(profile, audience, functions)
    pain, shape = read_pain(clean(profile.problem))
    if re.search(rf"\b{re.escape(pain)}\s+from\s+\w+ing\b", profile.idea, re.IGNORECASE):
        pain, shape = "", Shape.NONE  # "preventing agents from breaking": the agents are not what hurts
    raw_keywords = (clean(raw).lower() for raw in profile.keywords)
    keywords = tuple(words.unique(k for k in raw_keywords if k and not _BROKEN_KEYWORD.search(k)))
    return Brief(
        name=clean(profile.names[0]) if profile.names else "",
        product=product,
        audience=audience,
        others=tuple(audiences[1:4]),
        idea=profile.idea,
        functions=functions,
        outcome=outcome,
        pain=pain,
        pain_shape=shape,
        keywords=keywords[:KEYWORDS_MAX],
        topic=_topic(keywords, profile),
        category=profile.category,
        category_label=clean(profile.category_label),
        form=profile.product_form,
        professional=profile.customer_type in (common_pb2.CUSTOMER_TYPE_B2B, common_pb2.CUSTOMER_TYPE_B2G),
        regulated=tuple(words.unique(clean(field.field) for field in profile.regulated_fields)),
        numbers=frozenset(re.findall(r"\d+", profile.idea)),
        claims=ids,
    )


# Word sequences cut out of the middle of a sentence, and words that name nothing by themselves.
_BROKEN_KEYWORD = re.compile(
    r"\b(?:being|having|lacking|requiring|taking|costing|causing|making|leading|needing|failing|suffering|developing)\b|"
    r"\b(?:stuck|slow|based|such|several)$|^(?:real-time|hand|massive|various)$"
)


def make_function(phrase: str, claim_id: str) -> Function:
    """A function from its phrase; the first word decides whether it is a verb phrase."""
    first, _, rest = phrase.partition(" ")
    if first.endswith("ly") and words.is_base_verb(rest.partition(" ")[0].lower()):
        phrase = rest
        first, _, rest = phrase.partition(" ")
    lower = first.lower()
    verb = words.base_of_gerund(lower) or (lower if words.is_base_verb(lower) else "")
    if verb == lower and lower in verbs.MOSTLY_NOUNS and not rest:
        verb = ""
    if not verb:
        return Function(phrase=words.decapitalise(phrase), verb="", rest="", claim_id=claim_id)
    return Function(phrase=f"{verb} {rest}".strip(), verb=verb, rest=rest, claim_id=claim_id)


def shorter(phrase: str, verb: str = "") -> Iterator[str]:
    """The phrase, then shorter ones that end before a preposition or a subordinate clause."""
    yield phrase
    if (verb in _WHOLE and verb not in verbs.MATCHING) or _MANUAL.search(phrase):
        return
    for match in reversed(list(_BREAKS.finditer(phrase))):
        head = phrase[: match.start()].rstrip(" ,;:")
        last = head.rsplit(" ", 1)[-1].lower()
        paired = match.group().strip() == "" and re.search(r"\b(?:between|both|either)\b[^,]*$", head)
        halved = verb in verbs.MATCHING and not re.search(r"\s(?:with|to)\s", head)
        dangling = (
            paired or halved or last in words.STOPWORDS or words.base_of_participle(last) or last in {"based", "such"}
        )
        if len(head.split()) >= (2 if verb else 1) and not dangling:
            yield head


def read_pain(problem: str) -> tuple[str, Shape]:
    """The problem as it goes into a sentence, and its shape."""
    if not problem:
        return "", Shape.NONE
    problem = words.decapitalise(problem)
    tokens = [t.lower for t in words.tokenize(problem) if t.is_word]
    if not tokens:
        return "", Shape.NONE
    statement = _statement(problem)
    if statement or len(tokens) > PAIN_WORDS_MAX or any(t in words.AUXILIARIES for t in tokens):
        return statement or (problem if any(t in words.AUXILIARIES for t in tokens) else ""), Shape.CLAUSE
    base = words.base_of_gerund(tokens[0])
    if tokens[0] == "not" and len(tokens) > 2 and words.base_of_gerund(tokens[1]):
        return problem, Shape.GERUND
    if base and _MANUAL.search(problem):
        return problem, Shape.GERUND
    if base and len(tokens) > 1:
        return problem, Shape.STRIVING if base in _WANTED else Shape.GERUND
    if words.is_base_verb(tokens[0]) and tokens[0] not in verbs.MOSTLY_NOUNS and len(tokens) > 1:
        first, _, rest = problem.partition(" ")
        shape = Shape.STRIVING if first.lower() in _WANTED else Shape.GERUND
        return f"{words.gerund(first.lower())} {rest}", shape
    if any(words.base_of_third(t) and not _noun_before(tokens, i) for i, t in enumerate(tokens[1:], 1)):
        return problem, Shape.CLAUSE
    return re.sub(r"^(?:the|a|an)\s", "", problem), Shape.NOUN


# -ing forms that stand for a whole clause: "raw images having much noise".
_CLAUSAL = _set(
    "being having lacking requiring taking costing causing making leading needing failing suffering degrading"
)


def _statement(problem: str) -> str:
    """ "Raw images having much noise" as the sentence that it stands for: "raw images have much noise"; else empty."""
    tokens = [t for t in words.tokenize(problem) if t.is_word]
    for before, token in pairwise(tokens):
        base = words.base_of_gerund(token.lower)
        many = words.is_plural(before.lower)
        if not base or token is tokens[-1] or not (token.lower in _CLAUSAL or (many and len(tokens) > 4)):
            continue
        last = tokens[-1].lower
        if words.base_of_gerund(last) or last in words.STOPWORDS:
            return ""
        verb = ("are" if base == "be" else base) if many else words.third(base)
        return f"{problem[: token.start]}{verb}{problem[token.end :]}"
    return ""


def _noun_before(tokens: Sequence[str], index: int) -> bool:
    """Whether a word that could be a verb ("invoices") stands where a plural noun stands."""
    last = index == len(tokens) - 1
    following = tokens[index + 1] if not last else ""
    return last or following in words.PREPOSITIONS | words.CONJUNCTIONS | words.SUBORDINATORS


def striving(pain: str) -> str:
    """The base form of a gerund phrase: "finding a good tutor" -> "find a good tutor"; empty when it has none."""
    first, _, rest = pain.partition(" ")
    base = words.base_of_gerund(first.lower())
    return f"{base} {rest}" if base and rest else ""


def _audience(raw: str) -> str:
    text = words.without_parentheses(clean(raw))
    text = re.sub(r"^(?:the|a|an|all|any)\s", "", text, flags=re.IGNORECASE)
    text = words.decapitalise(text)
    return text if text and len(text) <= 80 and "," not in text else ""


# Nouns that a product is called by; an opening phrase that ends otherwise is not taken for a product's name.
_PRODUCT_NOUNS = _set(
    "app application tool platform service api marketplace system engine proxy gateway assistant bot chatbot plugin "
    "extension device breaker collector dashboard framework plane toolkit sdk library directory network community kit "
    "subscription box store shop planner tracker scanner sensor robot drone agency course game wallet exchange portal "
    "hub suite copilot agent generator calculator editor layer registry monitor simulator database map newsletter "
    "wearable camera kiosk club programme program school academy clinic studio server website site browser wizard "
    "software infrastructure middleware hardware analyzer analyser detector validator checker builder manager finder"
)
# Of these, the ones that say something when they stand alone.
GENERIC_HEADS = _set(
    "app tool platform service api marketplace system assistant chatbot plugin extension device dashboard robot drone "
    "game sensor website software infrastructure"
)
MASS_NOUNS = _set("software infrastructure middleware hardware")


def _product(profile: IdeaProfile) -> str:
    """What it is, without article: from the idea's opening words, else the name of the product's form."""
    idea = words.without_parentheses(profile.idea)
    opening = _OPENING.match(idea)
    found = clean(opening.group(1)) if opening else ""
    if not found and len(idea) <= 70 and not _PRODUCT_END.search(idea):
        found = clean(idea)
    found = _LABELS.sub("", found.rsplit(",", 1)[-1])
    found = words.decapitalise(re.sub(r"\s+", " ", found).strip(" /-"))
    tokens = found.lower().split()
    usable = bool(tokens) and len(tokens) <= 6 and tokens[-1].rsplit("-", 1)[-1] in _PRODUCT_NOUNS
    if usable and not any(t in words.STOPWORDS for t in tokens if t != "and"):
        return found
    name = _FORM_NAMES.get(profile.product_form, "")
    return "tool" if name and "product_form" in profile.inferred_fields else name


def _functions(profile: IdeaProfile) -> tuple[Function, ...]:
    made: list[Function] = []
    for feature in profile.features:
        phrase = clean(words.without_parentheses(feature.title))
        if phrase:
            made.append(make_function(words.decapitalise(phrase), feature.claim_id))
    if not made:
        for mechanism in profile.mechanisms:
            phrase = clean(words.without_parentheses(mechanism))
            if phrase:
                made.append(make_function(words.decapitalise(phrase), ""))
    kept: list[Function] = []
    # A phrase that points back ("exhaust their budgets") says nothing where it stands alone.
    standing = [f for f in made if not _POINTING.search(f.rest) and not _TWO_VERBS.match(f.rest)]
    for function in standing or made:
        if all(function.phrase.casefold() != other.phrase.casefold() for other in kept):
            kept.append(function)
    return tuple(kept[:FUNCTIONS_MAX])


_POINTING = re.compile(r"\b(?:their|them|these|those|its|such|this)\b", re.IGNORECASE)
_TWO_VERBS = re.compile(r"(?:takes|requires|is|are|has|have|needs|makes|gets|becomes|leads|fails|lacks)\b")
_CLAUSE_END = re.compile(r"\s+(?:by|through|using|via|with|while|so that|because)\s|[.,;:—–]\s|[.,;]$")


def _outcome(profile: IdeaProfile, audience: str, functions: Sequence[Function]) -> str:
    """What the reader gets, as a verb phrase said to the reader; the idea's own words wherever it names
    one."""
    idea = re.sub(r"\s+", " ", profile.idea)
    for candidate in (_helped(idea), _gain(idea), *(_turned(f, audience) for f in functions), _compound(profile)):
        found = clean(candidate)
        if found and len(found) <= OUTCOME_CHARS_MAX and len(found.split()) >= 2:
            return _to_reader(found, audience)
    return ""


def _helped(idea: str) -> str:
    """ "helps households waste less food by ..." -> "waste less food"."""
    match = re.search(r"\b(?:help|let|allow|enable|empower)(?:s|ing)?\s+(.*)", idea, re.IGNORECASE)
    if not match:
        return ""
    rest = match.group(1)
    end = _CLAUSE_END.search(rest)
    rest = rest[: end.start()] if end else rest
    tokens = words.tokenize(rest)
    for i, token in enumerate(tokens[1:], 1):
        if words.is_base_verb(token.lower) and (
            tokens[i - 1].lower == "to"
            or token.lower not in verbs.MOSTLY_NOUNS
            or (i + 1 < len(tokens) and tokens[i + 1].lower in words.QUANTIFIERS | words.DETERMINERS)
        ):
            return rest[token.start :]
    return ""


_GAINS = verbs.REDUCING | verbs.IMPROVING | frozenset({"save", "shorten", "lower", "slash"})


def _gain(idea: str) -> str:
    """ "that reduces no-shows with ..." or ", preventing budget burn" -> "reduce no-shows"."""
    for token in words.tokenize(idea):
        base = words.base_of_third(token.lower) or words.base_of_gerund(token.lower)
        if idea[: token.start].endswith(" to "):
            base = token.lower
        if base in _GAINS and (base != token.lower or idea[: token.start].endswith(" to ")):
            rest = idea[token.end :]
            end = _CLAUSE_END.search(rest)
            rest = rest[: end.start()] if end else rest
            if rest.strip():
                return f"{base} {rest.strip()}"
    return ""


def _turned(function: Function, audience: str) -> str:
    """A function seen from the reader's side: "tell growers where to spray" -> "know where to spray"."""
    if function.verb in verbs.INFORMING:
        match = re.search(r"\b(?:where|when|how|what|which|whether|why)\b.*", function.rest)
        return f"know {match.group()}" if match else ""
    if function.verb in verbs.MATCHING:
        match = re.search(r"\b(?:with|to)\s+(.+)", function.rest)
        return f"find {match.group(1)}" if match else ""
    if function.verb in verbs.FINDING:
        return function.phrase
    return ""


def _compound(profile: IdeaProfile) -> str:
    """ "startup idea validation platform" -> "validate startup ideas"."""
    tokens = _product(profile).split()
    for i in range(len(tokens) - 1, 0, -1):
        verb = _NOMINAL.get(tokens[i].lower())
        if verb:
            things = [t for t in tokens[:i] if not re.search(r"-(?:powered|based|driven|first|native)$|^(?:AI|ML)$", t)]
            return f"{verb} {words.plural(' '.join(things))}" if things else ""
    return ""


def _to_reader(phrase: str, audience: str) -> str:
    """The audience named inside the phrase becomes "you" where it acts: "before finance teams pay them"."""
    if audience and words.is_plural(audience.rsplit(" ", 1)[-1].lower()):
        acting = rf"\b(before|after|when|while|where|until|so that)\s+(?:the\s+)?{re.escape(audience)}\b"
        phrase = re.sub(acting, r"\1 you", phrase, flags=re.IGNORECASE)
    phrase = re.sub(r"\btheir\b", "your", phrase)
    return words.decapitalise(phrase)


def _topic(keywords: Sequence[str], profile: IdeaProfile) -> str:
    """A short noun phrase for what this is about: the strongest keyword of two or three words, else any."""
    usable = [k for k in keywords if 2 <= len(k.split()) <= 3 and len(k) <= 24 and not _verbal(k)]
    usable += [k for k in keywords if len(k.split()) == 1 and 4 <= len(k) <= 20]
    label = clean(profile.category_label).lower()
    return usable[0] if usable else label


def _verbal(keyword: str) -> bool:
    first = keyword.split()[0]
    return (words.is_base_verb(first) and first not in verbs.MOSTLY_NOUNS) or bool(words.base_of_third(first))
