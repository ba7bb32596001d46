"""Features, entities and keywords from an idea's roles."""

from __future__ import annotations

import re
from collections.abc import Sequence

from chassis.idea import nouns, remedies
from chassis.idea import words as w
from chassis.idea.category import Category
from chassis.idea.lexicon import ATTRIBUTES, FORM_ADJECTIVES, FORM_WORDS, PAINS
from chassis.idea.roles import Roles
from chassis.idea.verbs import FINDING, IMPROVING, MATCHING, REDUCING, VERBS
from pipeline.v1 import common_pb2 as pb

FEATURES_MAX = 6
ENTITIES_MAX = 6
KEYWORDS_MAX = 12
TITLE_CHARS_MAX = 80

_PLAIN_ADJECTIVES = frozenset(
    "fraudulent late online new small large big unpaid local fresh safe good bad best daily weekly monthly personal "
    "digital dynamic massive current real live remote automatic automated manual deterministic autonomous intelligent "
    "redundant inactive unauthorized rogue malicious zombie sensitive legacy modern top free cheap healthy "
    "formal high low "
    "dense dead infinite suspicious overdue upcoming nearby different same many own key open unused secure hidden "
    "affordable experienced qualified independent busy elderly young first first-time critical classical traditional "
    "conventional third-party original original enterprise potential costly slow terrible true precise natural public "
    "private complex catastrophic vulnerable conversational semantic mixed proven whole entire right wrong "
    "fast simple "
    "shared single multiple several various important relevant similar tailored certain physical".split()
)


def features(roles: Roles, form: int, things: Sequence[str]) -> list[pb.Feature]:
    """One to six features: mechanisms, then what single words promise, then outcomes, then what the pain asks for."""
    rows: list[tuple[str, str]] = []
    for phrase in roles.mechanisms:
        claim = "problem"
        if phrase.base in MATCHING:
            claim = "audience"
        elif phrase.base in FINDING or phrase.base in _TECHNICAL:
            claim = "feasibility"
        text = phrase.base_form
        for title, said in roles.extras:
            if title.startswith("Book") and text.endswith(said):
                text = text.removesuffix(said).rstrip()
        rows.append((text, claim))
    own = {title for title, _ in roles.extras}
    rows.extend(
        (title, "audience" if title.startswith(("Vet", "Verify", "Book")) else "problem") for title, _ in roles.extras
    )
    if len(rows) < 2 or all(base.split()[0] in REDUCING for base, _ in rows):
        rows.extend(
            (p.base_form, "problem")
            for p in roles.outcomes
            if p.base not in IMPROVING and p.adverb not in {"never", "not"}
        )
    if not rows or (roles.labelled and len(rows) < 2):
        rows.extend(
            (phrase, "problem")
            for phrase, _ in remedies.remedies(
                [roles.pain, *roles.pain_sentences] if roles.pain else roles.pain_sentences
            )
        )
    if not rows and roles.problem:
        topic = _topic(roles.problem)
        gerund = w.base_of_gerund(topic.split()[0].lower())
        if nouns.is_actor_phrase(topic, lenient=True) and topic != roles.problem:
            rows.append((f"help with {roles.problem[len(topic) :].strip()}", "problem"))
        elif topic.split()[0].lower() not in w.PRONOUNS:
            rows.append((_about_problem(topic, acts=bool(gerund)), "problem"))
    if not rows:
        # Only a name for a thing: what one does first with such a thing, marked as inferred by the caller.
        head = re.sub(r"^(?:an?|the|our|my)\s+", "", roles.head.strip(), flags=re.IGNORECASE)
        kept = next((thing for thing in things if not nouns.is_actor(thing.split()[-1])), "")
        if roles.about.lower() in nouns.MASS:
            rows.append((f"manage {roles.about.lower()}", "problem"))
        elif form in (pb.PRODUCT_FORM_WEB_APP, pb.PRODUCT_FORM_MOBILE_APP, pb.PRODUCT_FORM_API) and kept:
            rows.append((f"manage {w.plural(kept)}", "problem"))
        elif head and len(head.split()) < 7:
            rows.append(
                (
                    f"{'book' if form == pb.PRODUCT_FORM_SERVICE else 'order'} {_with_article(w.decapitalise(head))}",
                    "willingness-to-pay",
                )
            )
    made: list[pb.Feature] = []
    for text, claim in rows:
        if text.partition(" ")[0] == "be":
            # "is certified": what it is, not what it does.
            continue
        title = _title(text)
        slug = w.slug(title)
        if (
            len(title.split()) < 2
            or not slug
            or any(f.id == slug or (title not in own and _same(title, f.title)) for f in made)
        ):
            continue
        made.append(pb.Feature(id=slug, title=title, claim_id=claim))
    return made[:FEATURES_MAX]


_TECHNICAL = frozenset(
    "predict analyse analyze simulate scan translate generate compute forecast map optimise optimize".split()
)


def _with_article(head: str) -> str:
    last = head.split()[-1].lower()
    return head if last in {"software", "hardware", "insurance", "payroll"} or w.is_plural(last) else w.article(head)


def _about_problem(topic: str, *, acts: bool) -> str:
    """What one does first about a problem of which only the name is known; of things one keeps a list."""
    last = topic.split()[-1].lower()
    if acts:
        return f"record cases of {topic}"
    measured = last in nouns.MASS or w.is_plural(last) or last in PAINS
    return f"measure {topic}" if measured else f"keep track of {w.plural(topic)}"


def _topic(problem: str) -> str:
    """The noun phrase that a problem clause is about ("raw images having noise" -> "raw images")."""
    parts = problem.split()
    for index, word in enumerate(parts):
        if index > (nouns.names_a_trade(parts[0].lower()) and 1) and (
            word in {"being", "having", "not", "because"} or w.base_of_gerund(word.lower())
        ):
            return " ".join(parts[:index])
    return problem


def _title(text: str) -> str:
    text = re.sub(r"^(?:also|then|just)\s+", "", text.strip(" .,;"))
    text = re.sub(r"\s+(?:with|by|using)\s+(?:ai|machine learning)$", "", text, flags=re.IGNORECASE)
    if len(text) > TITLE_CHARS_MAX:
        for cut in (
            r",\s",
            r"\s(?:so|which|that|because|before|while)\s",
            r"\s(?:using|based on|through|by|with)\s",
            r"\s(?:for|in|into|from|across|between|on|of|and)\s",
        ):
            pieces = [m.start() for m in re.finditer(cut, text) if 18 <= m.start() <= TITLE_CHARS_MAX]
            if pieces:
                text = text[: pieces[-1]]
                break
        else:
            text = w.clip(text, TITLE_CHARS_MAX)
    return w.capitalise(text.strip(" ,;"))


def _same(one: str, other: str) -> bool:
    a, b = ({w.lemma(x) for x in t.lower().split()} - w.STOPWORDS for t in (one, other))
    return a <= b or (len(a & b) > 0.7 * min(len(a), len(b)) and one.split()[0].lower() == other.split()[0].lower())


def noun_chunks(text: str) -> list[str]:
    """Runs of content words, cut at function words, punctuation and verbs that begin or end a run; lower-case."""
    chunks: list[list[str]] = [[]]
    previous = ""
    for token in w.tokenize(text):
        word = token.lower
        breaks = (
            not token.is_word
            or word in w.STOPWORDS
            or (word.endswith("ly") and word not in {"family", "supply", "assembly", "elderly"})
        )
        if not chunks[-1] and previous not in w.DETERMINERS | w.PREPOSITIONS:
            breaks = breaks or bool(w.base_of_gerund(word)) or bool(w.base_of_third(word) and not w.is_plural(word))
        if not chunks[-1] and (previous in w.PRONOUNS or previous == "to") and w.is_base_verb(word):
            breaks = True
        if chunks[-1] and w.is_plural(previous) and w.base_of_gerund(word):
            breaks = True
        if (
            chunks[-1]
            and w.base_of_participle(word)
            and (w.is_plural(previous) or word in {"stuck", "lost", "deployed"})
        ):
            breaks = True
        if chunks[-1] and word in {"behaves", "becomes", "requires", "needs", "remains", "contains"}:
            breaks = True
        if breaks:
            if chunks[-1]:
                chunks.append([])
        else:
            chunks[-1].append(word)
        previous = word
    return [" ".join(chunk) for chunk in chunks if chunk]


def _adjective(word: str) -> bool:
    """Whether a word is an adjective by its ending."""
    return bool(re.search(r"(?:ous|ful|less|ive|able|ible|ical|ic|al)$", word)) and word not in _NOUNS_LIKE_ADJECTIVES


_NOUNS_LIKE_ADJECTIVES = frozenset(
    "animal hospital meal deal topic fabric metal material signal journal rental manual portal medical clinical".split()
)
_GENERIC = frozenset(
    "company firm operator organization organisation industry provider manufacturer team user customer "
    "business enterprise "
    "demand people person manager institution agency startup reverse identity execution third-party lesson-s".split()
)


# Adverbs and predicates that stand where a noun could: "read aloud", "living alone", "who look for".
_NO_THINGS = frozenset("aloud alone abroad apart together asleep awake alive afraid ahead away look".split())
# Participles that are nouns as well: what is fed, bred or put in.
NOMINAL_PARTICIPLES = frozenset("feed seed need speed bed breed bid cut set put read run bet hit cost quote".split())


def _entity(chunk: str) -> str:
    """The singular noun of a chunk without adjectives: "fraudulent invoices" -> "invoice"; empty where none is left."""
    words = [word for word in chunk.split() if not re.search(r"\d|[%$/]", word)]
    while words and (
        words[0] in _PLAIN_ADJECTIVES
        or words[0] in FORM_ADJECTIVES
        or words[0].endswith("-powered")
        or (len(words) > 1 and (w.base_of_participle(words[0]) or _adjective(words[0])))
    ):
        words.pop(0)
    while words and (words[-1] in w.STOPWORDS or words[-1].endswith("ly")):
        words.pop()
    words = words[-3:]
    if not words:
        return ""
    if len(words) == 2 and (
        words[0] in VERBS
        and words[0] not in ATTRIBUTES
        and not w.is_plural(words[0])
        and words[0] in {"detect", "tell", "find", "build"}
    ):
        words = words[1:]
    name = w.singular(" ".join(words))
    last = name.split()[-1]
    if last in _NO_THINGS or (w.base_of_participle(last) and last not in NOMINAL_PARTICIPLES):
        return ""
    if len(words) == 1 and (name in _GENERIC or re.search(r"-(?:level|generated|limiting|based|driven|up)$", name)):
        return ""
    if (
        len(last) < 3
        or last in w.STOPWORDS
        or (w.base_of_gerund(last) and len(words) == 1)
        or last
        in FORM_WORDS
        - {
            "course",
            "clinic",
            "machine",
            "robot",
            "device",
            "agent",
            "game",
            "model",
            "sensor",
            "board",
            "box",
            "club",
            "gym",
        }
    ):
        return ""
    return name


def entities(roles: Roles, category: Category, line: str) -> tuple[list[str], bool]:
    """(things an MVP stores, whether some come from the category's usual things); `line` is the idea's lemmas."""
    stated: list[str] = []
    weaker: list[str] = []
    sources = [m.rest for m in roles.mechanisms] + [o.rest for o in roles.outcomes] + roles.things
    for source in sources:
        if source == roles.about:
            continue
        for chunk in noun_chunks(re.split(r"\s(?:where|how|so|because|with|by|using)\s", source)[0])[:3]:
            name = _entity(chunk)
            if not name:
                continue
            last = name.split()[-1]
            pain = last in PAINS or name in PAINS
            (weaker if last in ATTRIBUTES or pain else stated).append(name)
    people = [_entity(chunk) for a in roles.audiences[:3] for chunk in noun_chunks(a)[:1]]
    usual = []
    flat = f" {line.replace('-', ' ')} "
    verbs = {w.lemma(word) for word in line.split()}
    for entity, triggers in category.entities.items():
        if any(
            f" {trigger} " in line or f" {trigger.replace('-', ' ')} " in flat or trigger in verbs
            for trigger in triggers.split()
        ):
            usual.append(entity)
    named = [entity for entity in usual if f" {entity} " in flat]
    inferred = [entity for entity in usual if entity not in named]
    order = [*named, *stated[:4], *inferred[:4], *people[:2], *stated[4:]]
    kept = _without_repeats(order, frozenset(inferred))
    if len(kept) < 2:
        kept = _without_repeats([*kept, *weaker])
    kept = kept[:ENTITIES_MAX]
    return kept, any(entity in kept for entity in inferred)


def _without_repeats(names: list[str], preferred: frozenset[str] = frozenset()) -> list[str]:
    kept: list[str] = []
    for name in w.unique(names):
        if any(k.startswith(f"{name} ") and k in preferred for k in names):
            continue
        if len(name) > 40 or any(name == k or name.split()[-1] == k or k.split()[-1] == name for k in kept):
            continue
        kept.append(name)
    return kept


_NOUN_OF_ADJECTIVE = {"fraudulent": "fraud", "expired": "expiry", "fake": "fake"}


# Verbs that people search for as nouns ("food waste", "fall detection"); empty: the -ing form ("expense tracking").
_TRADED_AS_NOUNS = {
    "waste": "waste", "share": "sharing", "rent": "rental", "repair": "repair", "design": "design",
    "detect": "detection", "prevent": "prevention", "schedule": "", "track": "", "match": "", "plan": "", "swap": "",
    "train": "",
}  # fmt: skip


def keywords(roles: Roles, category: Category, basis: tuple[str, ...], names: tuple[str, ...]) -> list[str]:
    """Phrases and words to search with: what is acted on, what hurts, who, the field's own terms; strongest first."""
    found: list[str] = []
    about = nouns.modifiers_without_form(roles.head, FORM_WORDS, FORM_ADJECTIVES).lower()
    if 1 < len(about.split()) < 5:
        found.append(about)
    for phrase in [*roles.outcomes, *roles.mechanisms]:
        chunks = noun_chunks(phrase.rest)
        if not chunks:
            continue
        chunk = chunks[0]
        first = chunk.split()[0]
        if first in _NOUN_OF_ADJECTIVE and len(chunk.split()) == 2:
            found.append(f"{w.singular(chunk.split()[1])} {_NOUN_OF_ADJECTIVE[first]}")
        if phrase.base in _TRADED_AS_NOUNS and len(chunk.split()) == 1:
            noun = _TRADED_AS_NOUNS[phrase.base] or w.gerund(phrase.base)
            found.append(f"{w.singular(chunk)} {noun}")
        found.extend(_key_phrase(c) for c in chunks[:2] if not _says_nothing(c))
    found.extend(_key_phrase(chunk) for chunk in noun_chunks(roles.problem)[:3])
    found.extend(term for term in basis[:4])
    found.extend(_key_phrase(audience.lower()) for audience in roles.audiences[:2])
    for thing in roles.things[:4]:
        found.extend(_key_phrase(chunk) for chunk in noun_chunks(thing)[:2])
    if category.slug != "general":
        found.append(category.label.split(" and ")[0].lower())
    taken = {name.lower() for name in names}
    banned = {"solution", "b2b", "tool", "app", "platform", "b2g", "m2m", "b2b2c", "a"}
    return [
        k
        for k in w.unique(found)
        if 2 < len(k) <= 48 and k not in taken | banned | _NO_THINGS | w.STOPWORDS and not w.base_of_participle(k)
    ][:KEYWORDS_MAX]


def _says_nothing(chunk: str) -> bool:
    """ "open slots", "better quality": a plain adjective and an attribute are nothing to search for."""
    first, _, last = chunk.partition(" ")
    return first in _PLAIN_ADJECTIVES and w.singular(last) in ATTRIBUTES


def _key_phrase(chunk: str) -> str:
    words = [
        word
        for word in chunk.split()
        if word not in {"massive", "terrible", "costly", "huge", "current", "new", "small", "good", "best"}
    ]
    words = words[-3:]
    return w.singular(" ".join(words)) if words else ""
