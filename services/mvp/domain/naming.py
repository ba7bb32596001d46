"""Names that are safe in Python, SQL, URLs and files, made from whatever words an idea contains.

Every function is pure and total: any text gives a name, text without a usable letter gives the fallback.
"""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from typing import Final

WORD_LENGTH_MAX: Final = 24
"""Longest word kept in a name: longer ones are cut so that lines of generated code stay readable."""

WORDS_MAX: Final = 3
"""Most words in one identifier."""

SLUG_LENGTH_MAX: Final = 40

_RESERVED_CLASSES: Final = frozenset(
    {name for name in dir(builtins) if name[0].isupper()}
    | {"Annotated", "Any", "BaseModel", "ClassVar", "ConfigDict", "Decimal", "Email", "Field", "Literal"}
    | {"NaiveDatetime", "Record", "Reference", "Row", "Panel", "Stat", "Store", "LongText", "ShortText", "Models"}
)
"""Class names that generated modules use themselves."""

_RESERVED_FIELDS: Final = (
    frozenset(keyword.kwlist)
    | frozenset(keyword.softkwlist)
    | frozenset(name for name in dir(builtins) if name.islower())
    | {"copy", "json", "dict", "construct", "schema", "validate", "fields", "label", "table", "title_of"}
    | {"date", "datetime", "decimal", "record", "store", "now", "today", "models", "self", "cls", "values"}
)
"""Field and function names that would shadow something in generated modules."""

_RESERVED_TABLES: Final = frozenset(
    {"api", "static", "health", "docs", "redoc", "openapi", "insights", "actions", "new", "edit", "delete"}
    | {"models", "store", "app", "tests", "offline", "manifest", "sw"}
)
"""Plurals that would clash with a path or a module of the generated project."""

_IRREGULAR_PLURALS: Final = {
    "person": "people",
    "child": "children",
    "man": "men",
    "woman": "women",
    "criterion": "criteria",
    "analysis": "analyses",
    "diagnosis": "diagnoses",
    "hypothesis": "hypotheses",
    "medium": "media",
    "datum": "data",
    "shelf": "shelves",
    "leaf": "leaves",
    "life": "lives",
    "knife": "knives",
    "half": "halves",
    "battery": "batteries",
}
_IRREGULAR_SINGULARS: Final = {plural: singular for singular, plural in _IRREGULAR_PLURALS.items()}
_UNCOUNTED: Final = frozenset({"equipment", "evidence", "software", "staff", "series", "species", "data", "news"})


def clean(text: str) -> str:
    """`text` without what no file should hold: control and format characters, lone surrogates."""
    kept = text.encode("utf-8", "ignore").decode("utf-8")
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u00ad\u2028\u2029\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]", " ", kept)


def ascii_words(text: str) -> list[str]:
    """Lower-case ASCII words of `text`; accents are dropped, other scripts vanish."""
    decomposed = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    return [word[:WORD_LENGTH_MAX].lower() for word in re.findall(r"[A-Za-z][A-Za-z0-9]*", decomposed)]


def slug(text: str, fallback: str = "mvp") -> str:
    """A name for folders, packages and URLs: lower-case words joined by dashes, at most 40 characters."""
    joined = ""
    for word in ascii_words(text):
        longer = f"{joined}-{word}" if joined else word
        if len(longer) > SLUG_LENGTH_MAX:
            break
        joined = longer
    return joined or fallback


def singular(word: str) -> str:
    """The singular of one English word, by spelling rules ("batteries" -> "battery", "analysis" stays)."""
    if word in _IRREGULAR_SINGULARS and word not in _UNCOUNTED:
        return _IRREGULAR_SINGULARS[word]
    if word in _UNCOUNTED or word in _IRREGULAR_PLURALS or len(word) < 4:
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is", "ics", "ous")):
        return word[:-1]
    return word


def plural(word: str) -> str:
    """The plural of one English word in the singular; a word without one gets "records" from `table_name`."""
    if word in _IRREGULAR_PLURALS:
        return _IRREGULAR_PLURALS[word]
    if word in _UNCOUNTED:
        return word
    if word.endswith("y") and len(word) > 1 and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    if word.endswith(("s", "sh", "ch", "x", "z")):
        return word + "es"
    return word + "s"


def entity_words(phrase: str, fallback: str = "entry") -> list[str]:
    """The last words of `phrase` that fit in a name, the head noun in the singular."""
    words = ascii_words(phrase)[-WORDS_MAX:]
    if not words:
        words = ascii_words(fallback) or ["entry"]
    words[-1] = singular(words[-1])
    return words


def class_name(phrase: str, fallback: str = "entry") -> str:
    """CamelCase class name ("pantry items" -> "PantryItem"); a reserved or one-letter name gets "Entry" added."""
    name = "".join(word.capitalize() for word in entity_words(phrase, fallback))
    if len(name) < 2 or name in _RESERVED_CLASSES or keyword.iskeyword(name) or keyword.iskeyword(name.lower()):
        name += "Entry"
    return name


def field_name(phrase: str, fallback: str = "detail") -> str:
    """snake_case field name; a reserved word gets "_value", a prefix that pydantic keeps for itself "its_"."""
    name = "_".join(ascii_words(phrase)[:WORDS_MAX]) or fallback
    if name == "id" or name in _RESERVED_FIELDS or keyword.iskeyword(name):
        name += "_value"
    if name.startswith("model_"):
        name = f"its_{name}"
    return name


def snake(camel: str) -> str:
    """snake_case of a CamelCase name ("PantryItem" -> "pantry_item")."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", camel).lower()


def table_name(camel: str) -> str:
    """Plural snake_case table name of a class name; clashes with paths and SQLite's own names are renamed."""
    words = snake(camel).split("_")
    words[-1] = plural(words[-1])
    name = "_".join(words)
    if name in _RESERVED_TABLES or name == snake(camel) or name.startswith("sqlite_"):
        name = f"{snake(camel).removeprefix('sqlite_')}_records"
    return name


def human(name: str) -> str:
    """snake_case as a label ("starts_at" -> "Starts at"); a trailing "_id" of a reference is dropped."""
    words = name.removesuffix("_id").replace("_", " ").strip()
    return words[:1].upper() + words[1:]
