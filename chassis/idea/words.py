"""Tokens, lemmas and inflection for English, with the closed word classes; rules, no model.

Every function is pure. Offsets are code points into the text that was given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from chassis.idea.verbs import DOUBLING, IRREGULAR_PARTICIPLES, IRREGULAR_THIRD, VERBS

DETERMINERS = frozenset(
    "a an the this that these those my your his her its our their every each any some all no another both either "
    "neither such own same own's everyone's people's".split()
)
PREPOSITIONS = frozenset(
    "of in on at by for with from into onto over under between among across through via during within without "
    "against about around near per to as like towards toward off up out upon beyond behind inside outside before "
    "after until till since than versus due despite unlike worldwide".split()
)
PRONOUNS = frozenset(
    "i we you he she it they me us him them myself ourselves themselves itself one someone anyone everyone nobody "
    "who whom whose which what yourself".split()
)
CONJUNCTIONS = frozenset({"and", "or", "nor", "but", "&", "plus", "and/or"})
AUXILIARIES = frozenset(
    "is are was were be been being am can could will would shall should may might must do does did has have had "
    "cannot can't don't doesn't won't isn't aren't didn't couldn't".split()
)
SUBORDINATORS = frozenset(
    "that which who whom where when whenever while before after because since so if unless until although though "
    "whereas whether how why once as".split()
)
ADVERBS = frozenset(
    "very too also often just only already still even never always ever not now then there here soon again once "
    "twice less more most least much many few fewer better best worse online offline together nearby "
    "instead almost quite "
    "rather currently today anywhere everywhere faster sooner later easily up down out away ahead well "
    "yet however therefore else almost simply no longer".split()
)
QUANTIFIERS = frozenset(
    "many few several more most less fewer much some any all both each every enough millions thousands hundreds "
    "billions dozens lots plenty".split()
)
NUMBER_WORDS = frozenset(
    "one two three four five six seven eight nine ten dozen hundred thousand million billion".split()
)
STOPWORDS = (
    DETERMINERS | PREPOSITIONS | PRONOUNS | CONJUNCTIONS | AUXILIARIES | SUBORDINATORS | ADVERBS | QUANTIFIERS
    | NUMBER_WORDS
    | frozenset("etc e.g i.e eg ie vs e.g. i.e. cf cf. using based new day".split())
)  # fmt: skip

# Forms of words that are asked for again and again while one idea is read.
WORDS_KEPT = 8_192

_TOKEN = re.compile(
    r"[^\W_]+(?:[.'’/&+_-]+[^\W_]+)*[+#%]?"  # words, with inner hyphens, slashes, dots: "no-shows", "CI/CD", "e.g"
    r"|[$€£]\s?\d[\d.,]*\w*"  # money
    r"|[^\w\s]"  # one punctuation mark
)
_UNCOUNTABLE = frozenset(
    "analytics logistics data news physics series species premises business's mathematics genomics robotics "
    "electronics economics diabetes sales always ethics chess gas bus lens canvas plus campus process bias access "
    "business address progress success wellness fitness darkness stress loss boss class glass dress press mess pass "
    "illness happiness readiness awareness compliance less kubernetes devops mlops aws sms gps saas iaas paas cms crm "
    "ics ics/scada status virus focus bonus corpus consensus basis analysis diagnosis crisis thesis axis hypothesis "
    "is this its as has was us yes perhaps overseas clothes premises tennis whereas".split()
)
_IRREGULAR_PLURALS = {
    "people": "person", "children": "child", "men": "man", "women": "woman", "teeth": "tooth", "feet": "foot",
    "mice": "mouse", "geese": "goose", "lives": "life", "knives": "knife", "leaves": "leaf", "shelves": "shelf",
    "wolves": "wolf", "halves": "half", "loaves": "loaf", "analyses": "analysis", "diagnoses": "diagnosis",
    "crises": "crisis", "theses": "thesis", "hypotheses": "hypothesis", "criteria": "criterion",
    "phenomena": "phenomenon", "movies": "movie", "cookies": "cookie", "calories": "calorie", "hobbies": "hobby",
    "buses": "bus", "gases": "gas", "lenses": "lens", "viruses": "virus", "bonuses": "bonus", "campuses": "campus",
    "heroes": "hero", "potatoes": "potato", "tomatoes": "tomato", "echoes": "echo", "homeowners": "homeowner",
    "businesses": "business", "addresses": "address", "processes": "process", "classes": "class",
    "glasses": "glasses", "losses": "loss", "biases": "bias", "selfies": "selfie", "smoothies": "smoothie",
    "veggies": "veggie", "zombies": "zombie", "foodies": "foodie", "rookies": "rookie", "axes": "axis",
    "statuses": "status", "caches": "cache", "niches": "niche", "aches": "ache", "indices": "index",
    "matrices": "matrix", "vertices": "vertex", "batteries": "battery", "ties": "tie", "pies": "pie", "lies": "lie",
    "grandchildren": "grandchild", "salespeople": "salesperson", "tradespeople": "tradesperson",
    "craftspeople": "craftsperson", "businesspeople": "businessperson", "wives": "wife", "midwives": "midwife",
}  # fmt: skip
_IRREGULAR_SINGULARS = {singular: plural for plural, singular in _IRREGULAR_PLURALS.items()}
_IRREGULAR_SINGULARS.update({"person": "people", "staff": "staff", "software": "software"})


class Token(NamedTuple):
    """One word or punctuation mark; `start` and `end` are offsets into the text."""

    text: str
    lower: str
    start: int
    end: int

    @property
    def is_word(self) -> bool:
        """True for anything that is not a lone punctuation mark."""
        return self.text[0].isalnum() or len(self.text) > 1


def tokenize(text: str) -> list[Token]:
    """Splits text into words and punctuation marks, in order."""
    return [Token(m.group(), m.group().lower().replace("’", "'"), m.start(), m.end()) for m in _TOKEN.finditer(text)]


def sentences(text: str) -> list[str]:
    """Splits text at sentence ends; keeps abbreviations such as "e.g." and decimals together."""
    guarded = re.sub(r"\b(e\.g|i\.e|cf|vs|etc|approx|incl|Dr|Mr|Mrs|Ms|No|St|Inc|Ltd|Co)\.", "\\1\u2024", text)
    parts = re.split(r"(?<=[.!?])[\"'”’)]?\s+(?=\S)|\s*[\n;]\s*", guarded)
    return [part.replace("\u2024", ".").strip() for part in parts if part and part.strip(" .!?;:-")]


def without_parentheses(text: str) -> str:
    """The text without what stands in round or square brackets; an unclosed bracket is kept."""
    previous = None
    while previous != text:
        previous = text
        text = re.sub(r"\s*[(\[][^()\[\]]*[)\]]", "", text)
    return re.sub(r"\s+([,.;:!?])", r"\1", text).strip()


@lru_cache(maxsize=WORDS_KEPT)
def singular(noun: str) -> str:
    """The singular of a lower-case noun ("expiry dates" -> "expiry date": the last word changes)."""
    head, _, last = noun.rpartition(" ")
    stem = _singular_word(last)
    return f"{head} {stem}" if head else stem


def _singular_word(word: str) -> str:
    if "-" in word and not word.endswith("-ups"):
        first, _, tail = word.rpartition("-")
        return f"{first}-{_singular_word(tail)}"
    if word in _IRREGULAR_PLURALS:
        return _IRREGULAR_PLURALS[word]
    if word in _UNCOUNTABLE or len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is", "'s")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes", "zzes")):
        return word[:-2]
    return word[:-1]


def plural(noun: str) -> str:
    """The plural of a lower-case noun phrase; already plural words stay."""
    head, _, last = noun.rpartition(" ")
    made = _plural_word(last)
    return f"{head} {made}" if head else made


def _plural_word(word: str) -> str:
    if word in _IRREGULAR_SINGULARS:
        return _IRREGULAR_SINGULARS[word]
    if word in _UNCOUNTABLE and word not in {"business", "address", "process", "class", "bus", "gas", "loss", "virus"}:
        return word
    if is_plural(word):
        return word
    if re.search(r"[^aeiou]y$", word):
        return word[:-1] + "ies"
    if word.endswith(("s", "x", "ch", "sh", "z")):
        return word + "es"
    return word + "s"


def is_plural(word: str) -> bool:
    """Whether a lower-case noun looks plural."""
    return word in _IRREGULAR_PLURALS or (_singular_word(word) != word) or word in {"staff", "police"}


@lru_cache(maxsize=WORDS_KEPT)
def base_of_third(word: str) -> str:
    """The base form of a third person singular ("tracks" -> "track"); empty when it is no known verb's."""
    if word in IRREGULAR_THIRD:
        return IRREGULAR_THIRD[word]
    if not word.endswith("s") or word.endswith("ss"):
        return ""
    candidates = [word[:-1]]
    if word.endswith("ies"):
        candidates.insert(0, word[:-3] + "y")
    if word.endswith("es"):
        candidates.append(word[:-2])
    return next((c for c in candidates if c in VERBS or _prefixed(c)), "")


@lru_cache(maxsize=WORDS_KEPT)
def base_of_gerund(word: str) -> str:
    """The base form of an -ing form ("tracking" -> "track"); empty when it is no known verb's."""
    if not word.endswith("ing") or len(word) < 5:
        return ""
    stem = word[:-3]
    candidates = [stem, stem + "e"]
    if len(stem) > 2 and stem[-1] == stem[-2]:
        candidates.append(stem[:-1])
    if stem.endswith("y"):
        candidates.append(stem[:-1] + "ie")
    return next((c for c in candidates if c in VERBS or _prefixed(c)), "")


@lru_cache(maxsize=WORDS_KEPT)
def base_of_participle(word: str) -> str:
    """The base form of a past participle ("vetted" -> "vet"); empty when it is no known verb's."""
    if word in IRREGULAR_PARTICIPLES:
        return IRREGULAR_PARTICIPLES[word]
    if not word.endswith("ed") or len(word) < 5:
        return ""
    stem = word[:-2]
    candidates = [stem, stem + "e"]
    if stem[-1] == stem[-2]:
        candidates.append(stem[:-1])
    if stem.endswith("i"):
        candidates.append(stem[:-1] + "y")
    return next((c for c in candidates if c in VERBS or _prefixed(c)), "")


def _prefixed(word: str) -> bool:
    """A verb made with a prefix ("pre-screen", "auto-fill", "rebook")."""
    for prefix in ("re-", "pre-", "auto-", "co-", "cross-", "self-", "micro-", "re", "pre", "un", "over", "co"):
        if word.startswith(prefix) and len(word) - len(prefix) > 2 and word[len(prefix) :] in VERBS:
            return True
    return False


@lru_cache(maxsize=WORDS_KEPT)
def is_base_verb(word: str) -> bool:
    """Whether a lower-case word can be a verb's base form."""
    return word in VERBS or word in {"be", "do", "have"} or _prefixed(word)


def gerund(base: str) -> str:
    """The -ing form of a base verb ("track" -> "tracking")."""
    special = {"be": "being", "die": "dying", "lie": "lying", "tie": "tying", "dye": "dyeing", "see": "seeing"}
    if base in special:
        return special[base]
    if base in DOUBLING:
        return base + base[-1] + "ing"
    if base.endswith("e") and not base.endswith(("ee", "oe", "ye")):
        return base[:-1] + "ing"
    return base + "ing"


def third(base: str) -> str:
    """The third person singular of a base verb ("track" -> "tracks")."""
    special = {"be": "is", "have": "has", "do": "does", "go": "goes"}
    if base in special:
        return special[base]
    if re.search(r"[^aeiou]y$", base):
        return base[:-1] + "ies"
    if base.endswith(("s", "x", "ch", "sh", "z", "o")):
        return base + "es"
    return base + "s"


def lemma(word: str) -> str:
    """A crude lemma for matching: singular nouns, base verbs for known -ing, -ed and -s forms."""
    if word in STOPWORDS:
        return word
    return base_of_gerund(word) or base_of_participle(word) or _singular_word(word)


def decapitalise(phrase: str) -> str:
    """Lower-cases the first letter where it is capital only because a sentence starts there."""
    match = re.match(r"[^\W\d_]+", phrase)
    if not match:
        return phrase
    first = match.group()
    mixed = any(c.isupper() for c in first[1:]) or (len(first) == 1 and first != "A")
    if mixed or first.lower() in PROPER or re.match(r"[^\W\d_]+[-/]?\d", phrase):
        return phrase
    return first.lower() + phrase[len(first) :]


PROPER = frozenset(
    "kessler earth europe european america american africa african asia asian india indian china chinese german "
    "germany france french spanish spain english british japan japanese london berlin paris google amazon apple "
    "microsoft monday tuesday wednesday thursday friday saturday sunday january february march april june july august "
    "september october november december christmas linux python java kubernetes bluetooth android instagram shopify "
    "youtube tiktok tinder netflix spotify etsy ebay stripe duolingo strava calendly github linkedin slack "
    "notion salesforce uber airbnb excel islamic christian jewish muslim".split()
)


def capitalise(phrase: str) -> str:
    """Upper-cases the first letter and leaves the rest."""
    return phrase[:1].upper() + phrase[1:]


def article(phrase: str) -> str:
    """The phrase with "a" or "an" in front ("AI tool" -> "an AI tool")."""
    first = re.split(r"[\s-]", phrase, maxsplit=1)[0]
    lower = first.lower()
    spelled = len(first) > 1 and first.isupper() and not re.search(r"[AEIOU]", first[1:])
    if spelled or (len(first) <= 3 and first.isupper()):
        vowel = first[0] in "AEFHILMNORSX"
    else:
        vowel = lower[:1] in "aeiou" and not lower.startswith(("uni", "use", "usa", "usi", "eu", "one", "once", "ura"))
        vowel = vowel or lower.startswith(("hour", "honest", "heir"))
    return f"{'an' if vowel else 'a'} {phrase}"


def join(items: Sequence[str], word: str = "and") -> str:
    """Joins as in prose ("a, b and c")."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {word} {items[-1]}"


def unique(items: Iterable[str]) -> list[str]:
    """The items without empty ones and case-insensitive repeats, in order."""
    seen: set[str] = set()
    kept = []
    for item in items:
        key = item.casefold().strip()
        if key and key not in seen:
            seen.add(key)
            kept.append(item.strip())
    return kept


def slug(text: str) -> str:
    """Lower-case letters and digits joined by hyphens, at most 60 characters."""
    return "-".join(re.findall(r"[a-z0-9]+", text.lower()))[:60].strip("-")


def clip(text: str, limit: int) -> str:
    """The text cut at a word boundary to at most `limit` characters, without a dangling function word."""
    if len(text) <= limit:
        return text
    cut = text[: limit + 1].rsplit(" ", 1)[0].rstrip(" ,;:-–—\"“'(/")
    while True:
        head, _, last = cut.rpartition(" ")
        if head and (last.lower() in STOPWORDS or last.lower() in {"and", "or"}):
            cut = head.rstrip(" ,;:-–—\"“'(/")
        else:
            return cut
