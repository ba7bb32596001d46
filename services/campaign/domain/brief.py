"""From the profile's slots to a brief: everything that the copy may say, as phrases that fit into sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from chassis.idea import verbs, words
from pipeline.v1 import common_pb2
from pipeline.v1.common_pb2 import Claim, ClaimKind, IdeaProfile
from services.campaign.domain.phrases import Function, Shape, clean, make_function, read_pain, set_of

OUTCOME_CHARS_MAX = 90


FUNCTIONS_MAX = 6


KEYWORDS_MAX = 20


@dataclass(frozen=True)
class Brief:
    """Everything that the copy may say, in usable grammar. Empty strings where the idea gives no basis."""

    name: str
    product: str  # noun phrase without article: "scheduling tool"
    audience: str  # plural noun phrase: "small clinics"
    others: tuple[str, ...]  # further audiences
    people: frozenset[str]  # all audiences in the singular, lower case: no headline's subject
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
    customer: common_pb2.CustomerType.ValueType
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


_OPENING = re.compile(rf"(?:(?:an?|the|our|my)\s+)?(.{{2,90}}?)(?:{_PRODUCT_END.pattern}|$)", re.IGNORECASE)


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


def read_brief(profile: IdeaProfile, claims: Sequence[Claim]) -> Brief:
    """The profile's slots as phrases. Never raises: a slot that cannot be used is left empty."""
    ids = tuple((int(claim.kind), claim.id) for claim in claims)
    audiences = [a for a in (_audience(raw) for raw in profile.audiences) if a]
    audience = audiences[0] if audiences else ""
    people = frozenset(words.singular(a.lower()) for a in audiences)
    product = _product(profile)
    functions = _functions(profile)
    outcome = _outcome(profile, audience, functions)
    pain, shape = read_pain(clean(profile.problem), wanted="problem" in profile.inferred_fields)
    pain = re.sub(r"\btheir\b", "your", pain)
    if re.search(rf"\b{re.escape(pain)}\s+from\s+\w+ing\b", profile.idea, re.IGNORECASE):
        pain, shape = "", Shape.NONE  # "preventing agents from breaking": the agents are not what hurts
    raw_keywords = (clean(raw).lower() for raw in profile.keywords)
    keywords = tuple(words.unique(k for k in raw_keywords if k and _names_something(k, profile.idea)))
    return Brief(
        name=clean(profile.names[0]) if profile.names else "",
        product=product,
        audience=audience,
        others=tuple(audiences[1:4]),
        people=people,
        idea=profile.idea,
        functions=functions,
        outcome=outcome,
        pain=pain,
        pain_shape=shape,
        keywords=keywords[:KEYWORDS_MAX],
        topic=_topic([k for k in keywords if k not in people], profile),
        category=profile.category,
        category_label=clean(profile.category_label),
        form=profile.product_form,
        customer=profile.customer_type,
        professional=profile.customer_type in (common_pb2.CUSTOMER_TYPE_B2B, common_pb2.CUSTOMER_TYPE_B2G),
        regulated=tuple(words.unique(clean(field.field) for field in profile.regulated_fields)),
        numbers=frozenset(re.findall(r"\d+", profile.idea)),
        claims=ids,
    )


# Word sequences cut out of the middle of a sentence, and words that name nothing by themselves.
_BROKEN_KEYWORD = re.compile(
    r"\b(?:being|having|lacking|requiring|taking|costing|causing|making|leading|needing|failing|suffering|developing)\b|"
    r"\b(?:stuck|slow|based|such|several)$|^(?:real-time|hand|massive|various|real world|take control)$|['’\d]|^poor\b"
)


def _audience(raw: str) -> str:
    text = words.without_parentheses(clean(raw))
    text = re.sub(r"^(?:the|a|an|all|any)\s", "", text, flags=re.IGNORECASE)
    text = words.decapitalise(text)
    if text and _MACHINES.search(words.singular(text.lower())):
        text = f"teams that run {text}"
    return text if text and len(text) <= 80 and "," not in text else ""


# What a product may be for, and what reads no ads: those who run it do.
_MACHINES = re.compile(
    r"\b(?:(?:ai|autonomous) agent|drone|vehicle|robot|network|device|bot|sensor|machine|satellite)$|^fleets? of\b"
)


# Nouns that a product is called by; an opening phrase that ends otherwise is not taken for a product's name.
_PRODUCT_NOUNS = set_of(
    "app application tool platform service api marketplace system engine proxy gateway assistant bot chatbot plugin "
    "extension device breaker collector dashboard framework plane toolkit sdk library directory network community kit "
    "subscription box store shop planner tracker scanner sensor robot drone agency course game wallet exchange portal "
    "hub suite copilot agent generator calculator editor layer registry monitor simulator database map newsletter "
    "wearable camera kiosk club programme program school academy clinic studio server website site browser wizard "
    "software infrastructure middleware hardware analyzer analyser detector validator checker builder manager finder"
)


# Of these, the ones that say something when they stand alone.
GENERIC_HEADS = set_of(
    "app tool platform service api marketplace system assistant chatbot plugin extension device dashboard robot drone "
    "game sensor website software infrastructure"
)


MASS_NOUNS = set_of("software infrastructure middleware hardware")


def _product(profile: IdeaProfile) -> str:
    """What it is, without article: from the idea's opening words, else the name of the product's form."""
    idea = words.without_parentheses(profile.idea)
    opening = _OPENING.match(idea)
    found = clean(opening.group(1)) if opening else ""
    if not found and len(idea) <= 70 and not _PRODUCT_END.search(idea):
        found = clean(idea)
    found = _LABELS.sub("", found.rsplit(",", 1)[-1])
    found = _in_prose(words.decapitalise(re.sub(r"\s+", " ", found).strip(" /-")))
    tokens = found.lower().split()
    usable = bool(tokens) and len(tokens) <= 6 and tokens[-1].rsplit("-", 1)[-1] in _PRODUCT_NOUNS
    if usable and not any(t in words.STOPWORDS for t in tokens if t != "and"):
        return found
    name = _FORM_NAMES.get(profile.product_form, "")
    return "tool" if name and "product_form" in profile.inferred_fields else name


def _in_prose(phrase: str) -> str:
    """ "identity and Access Management system" without the capitals of a title; proper names and initials stay."""
    return " ".join(words.decapitalise(word) for word in phrase.split())


def _functions(profile: IdeaProfile) -> tuple[Function, ...]:
    made: list[Function] = []
    for feature in profile.features:
        phrase = _whole_list(clean(words.without_parentheses(feature.title)))
        if phrase:
            made.append(make_function(_enabled(words.decapitalise(phrase), profile), feature.claim_id))
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


def _whole_list(phrase: str) -> str:
    """ "correlate DNA, RNA": a list of two whose end was left out, as one."""
    return re.sub(r"^([^,]+), ([^\W\d]+)$", r"\1 and \2", phrase)


def _enabled(phrase: str, profile: IdeaProfile) -> str:
    """ "vote on dates" as "let friends vote on dates" where the idea says that its users do it, not the product."""
    for audience in profile.audiences:
        lets = rf"\b(?:let|allow|enable)(?:s|ing)?\s+(?:\w+\s)?{re.escape(audience)}\s+(?:to\s+)?{re.escape(phrase)}"
        if re.search(lets, profile.idea, re.IGNORECASE):
            return f"let {audience} {phrase}"
    return phrase


_POINTING = re.compile(r"\b(?:their|them|they|these|those|its|such|this)\b", re.IGNORECASE)


_TWO_VERBS = re.compile(r"(?:takes|requires|is|are|has|have|needs|makes|gets|becomes|leads|fails|lacks)\b")


_CLAUSE_END = re.compile(r"\s+(?:by|through|using|via|with|while|so that|because)\s|[.,;:—–]\s|[.,;]$")


def _outcome(profile: IdeaProfile, audience: str, functions: Sequence[Function]) -> str:
    """What the reader gets, as a verb phrase said to the reader; the idea's own words wherever it names
    one."""
    # What follows "to solve:" tells of the problem; its verbs are not the product's.
    idea = words.without_parentheses(re.split(r"\bto solve\b", re.sub(r"\s+", " ", profile.idea))[0])
    for candidate in (_helped(idea), _gain(idea), *(_turned(f, audience) for f in functions), _compound(profile)):
        found = clean(candidate)
        second = f"{found} ".split(" ")[1].lower()
        hollow = second in words.PREPOSITIONS or second.endswith("ly") or not second
        if found and len(found) <= OUTCOME_CHARS_MAX and not hollow:
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
    if function.verb in verbs.FINDING | verbs.REDUCING | verbs.IMPROVING:
        return function.phrase
    return ""


def _compound(profile: IdeaProfile) -> str:
    """ "startup idea validation platform" -> "validate startup ideas"."""
    tokens = _product(profile).split()
    for i in range(len(tokens) - 1, 0, -1):
        verb = _NOMINAL.get(tokens[i].lower())
        if verb:
            things = [t for t in tokens[:i] if not re.search(r"-(?:powered|based|driven|first|native)$|^(?:AI|ML)$", t)]
            whole = " ".join(things)
            return f"{verb} {whole if 'and' in things else words.plural(whole)}" if things else ""
    return ""


def _to_reader(phrase: str, audience: str) -> str:
    """The audience named inside the phrase becomes "you" where it acts: "before finance teams pay them"."""
    if audience and words.is_plural(audience.rsplit(" ", 1)[-1].lower()):
        acting = rf"\b(before|after|when|while|where|until|so that)\s+(?:the\s+)?{re.escape(audience)}\b"
        phrase = re.sub(acting, r"\1 you", phrase, flags=re.IGNORECASE)
    phrase = re.sub(r"\btheir\b", "your", phrase)
    return words.decapitalise(phrase)


def _names_something(keyword: str, idea: str) -> bool:
    """Whether a keyword stands for a thing, rather than being a piece of a sentence ("devices consuming")."""
    tokens = keyword.split()
    if _BROKEN_KEYWORD.search(keyword) or tokens[0] in words.STOPWORDS or tokens[-1] in words.STOPWORDS:
        return False
    if not all(any(c.isalnum() for c in token) for token in tokens):
        return False
    if not _headed(tokens) or (len(tokens) == 1 and _only_as_example(keyword, idea)):
        return False
    written = re.search(rf"\b{re.escape(keyword)}", idea, re.IGNORECASE)
    if len(tokens) == 2 and words.is_plural(tokens[0]) and words.base_of_gerund(tokens[1]):
        return False
    return bool(written) or len(tokens) == 1 or not any(words.base_of_gerund(t) for t in tokens)


def _headed(tokens: Sequence[str]) -> bool:
    """Whether the last word is a noun that says something: no adjective, no participle, no "arrival", no "week"."""
    head = words.singular(tokens[-1])
    participle = words.base_of_participle(head) and head not in {"feed", "seed", "need", "speed", "bed"}
    cut = "of" in tokens or "in" in tokens
    return head not in _EMPTY_HEADS and not participle and not _ADJECTIVE.search(head) and not cut


_ADJECTIVE = re.compile(r"(?:ous|ful|less|ive|able|ible|cal|ial|ual|inate|[^n]istic|tic)$")
# Nouns of time, measure, change and argument: what a sentence is made of, and nobody's search.
_EMPTY_HEADS = set_of(
    "arrival transition lack face year month week day decade hour minute second millisecond time stage state phase "
    "process approach impossibility possibility proliferation explosion advent threat attack risk loss problem issue "
    "matter reality fine part kind way case number amount level use need lot thing place work manual company party "
    "transfer development discovery integration effect limitation uncertainty gap future past store harvest decrypt "
    "hard silo fall rife complex touch city industry manufacturer employee microsecond petabyte degradation"
)


def _only_as_example(word: str, idea: str) -> bool:
    """Whether a word stands in the idea only as a name in brackets ("(Microsoft, Stripe)")."""
    outside = words.without_parentheses(idea)
    found = re.findall(rf"\b{re.escape(word)}", outside, re.IGNORECASE)
    return bool(re.search(rf"\b{re.escape(word)}", idea, re.IGNORECASE)) and not found


def _topic(keywords: Sequence[str], profile: IdeaProfile) -> str:
    """A short noun phrase for what this is about: the strongest keyword of two or three words, else any."""
    usable = [k for k in keywords if 2 <= len(k.split()) <= 3 and len(k) <= 24 and not _verbal(k)]
    singles = [k for k in keywords if len(k.split()) == 1 and 4 <= len(k) <= 20]
    usable += [k for k in singles if not words.is_base_verb(k) and not k.endswith(("able", "ing", "ous", "ive"))]
    label = clean(profile.category_label).lower()
    return usable[0] if usable else label


def _verbal(keyword: str) -> bool:
    first = keyword.split()[0]
    return (words.is_base_verb(first) and first not in verbs.MOSTLY_NOUNS) or bool(words.base_of_third(first))
