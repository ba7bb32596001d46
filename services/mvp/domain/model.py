"""What patterns compose and templates read: fields, entities, behaviours, sample values.

The wire form (`MvpSpec`) is made from these by `spec.py`; sample values and template parameters stay here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pipeline.v1 import mvp_pb2
from services.mvp.domain import naming

ENTITIES_MAX: Final = 6
"""Most tables in one MVP: more than a founder can judge in one sitting is not a minimum."""

STRING: Final = mvp_pb2.FIELD_TYPE_STRING
TEXT: Final = mvp_pb2.FIELD_TYPE_TEXT
INTEGER: Final = mvp_pb2.FIELD_TYPE_INTEGER
DECIMAL: Final = mvp_pb2.FIELD_TYPE_DECIMAL
BOOLEAN: Final = mvp_pb2.FIELD_TYPE_BOOLEAN
DATE: Final = mvp_pb2.FIELD_TYPE_DATE
DATETIME: Final = mvp_pb2.FIELD_TYPE_DATETIME
ENUM: Final = mvp_pb2.FIELD_TYPE_ENUM
REFERENCE: Final = mvp_pb2.FIELD_TYPE_REFERENCE
EMAIL: Final = mvp_pb2.FIELD_TYPE_EMAIL


@dataclass(frozen=True)
class Day:
    """A date `offset` days from today."""

    offset: int


@dataclass(frozen=True)
class At:
    """A moment: `day` days from today at `hour`:`minute`."""

    day: int
    hour: int = 9
    minute: int = 0


@dataclass(frozen=True)
class Money:
    """A decimal number, kept as text so that it is exact."""

    amount: str


@dataclass(frozen=True)
class Ref:
    """The `index`-th sample row of another entity."""

    entity: Entity
    index: int


Value = str | int | bool | Day | At | Money | Ref | None
Seed = Mapping[str, Value]


@dataclass(frozen=True)
class FieldDraft:
    """A column. `minimum` bounds numbers from below; `None` leaves them free (temperatures can be negative)."""

    name: str
    type: mvp_pb2.FieldType.ValueType
    required: bool = True
    values: tuple[str, ...] = ()
    reference: Entity | None = None
    minimum: int | None = None
    maximum: int | None = None

    @property
    def label(self) -> str:
        """The name as a form shows it."""
        return naming.human(self.name)


@dataclass
class Entity:
    """A table. `phrase` is what people call one row ("pantry item"); `label` is the field that names a row."""

    name: str
    phrase: str
    fields: list[FieldDraft]
    label: str
    seeds: list[Seed] = field(default_factory=list)

    @property
    def table(self) -> str:
        """Plural, snake_case."""
        return naming.table_name(self.name)

    @property
    def snake(self) -> str:
        """Singular, snake_case."""
        return naming.snake(self.name)

    @property
    def title(self) -> str:
        """Singular for people ("Pantry item")."""
        return naming.human(self.snake)

    @property
    def titles(self) -> str:
        """Plural for people ("Pantry items")."""
        return naming.human(self.table)

    @property
    def one(self) -> str:
        """Singular inside a sentence ("pantry item")."""
        return self.snake.replace("_", " ")

    @property
    def many(self) -> str:
        """Plural inside a sentence ("pantry items")."""
        return self.table.replace("_", " ")

    @property
    def a(self) -> str:
        """Singular with its article ("an appointment")."""
        return f"{'an' if self.one[0] in 'aeiou' else 'a'} {self.one}"

    @property
    def needs(self) -> list[Entity]:
        """Entities that a row refers to, in the order of the fields."""
        return [f.reference for f in self.fields if f.reference is not None]


@dataclass(frozen=True)
class Criterion:
    """An acceptance criterion and the generated test that exercises it."""

    test: str
    text: str


@dataclass(frozen=True)
class Behaviour:
    """Something that the product does beyond storing rows. `kind` names the folder of its templates."""

    kind: str
    feature: str
    """Imperative phrase ("Track expiry dates"), used where the idea has no words of its own for it."""
    answers: str
    """Regular expression over a feature's title: this behaviour is what the feature asks for."""
    params: Mapping[str, object]
    criteria: tuple[Criterion, ...]
    guards: Entity | None = None
    """Entity whose writes this behaviour may refuse."""


@dataclass
class Kit:
    """What one pattern contributes."""

    entities: list[Entity] = field(default_factory=list)
    behaviours: list[Behaviour] = field(default_factory=list)


def string(name: str, *, required: bool = True) -> FieldDraft:
    """At most 200 characters in one line."""
    return FieldDraft(name, STRING, required)


def text(name: str, *, required: bool = False) -> FieldDraft:
    """At most 5,000 characters in several lines."""
    return FieldDraft(name, TEXT, required)


def email(name: str = "email", *, required: bool = False) -> FieldDraft:
    """An e-mail address."""
    return FieldDraft(name, EMAIL, required)


def integer(name: str, *, required: bool = True, minimum: int | None = 0, maximum: int | None = None) -> FieldDraft:
    """A whole number, by default not negative."""
    return FieldDraft(name, INTEGER, required, minimum=minimum, maximum=maximum)


def decimal(name: str, *, required: bool = True, minimum: int | None = 0, maximum: int | None = None) -> FieldDraft:
    """An exact decimal number, by default not negative."""
    return FieldDraft(name, DECIMAL, required, minimum=minimum, maximum=maximum)


def boolean(name: str) -> FieldDraft:
    """Yes or no; no by default."""
    return FieldDraft(name, BOOLEAN, required=False)


def date(name: str, *, required: bool = True) -> FieldDraft:
    """A calendar date."""
    return FieldDraft(name, DATE, required)


def datetime(name: str, *, required: bool = True) -> FieldDraft:
    """A local date and time."""
    return FieldDraft(name, DATETIME, required)


def enum(name: str, *values: str) -> FieldDraft:
    """One of `values`; the first is the default."""
    return FieldDraft(name, ENUM, required=False, values=values)


def ref(entity: Entity, *, name: str = "", required: bool = True) -> FieldDraft:
    """A row of another entity."""
    return FieldDraft(name or f"{entity.snake}_id", REFERENCE, required, reference=entity)


def entity(phrase: str, fields: Sequence[FieldDraft], *, label: str = "", fallback: str = "entry") -> Entity:
    """An entity named after `phrase`; its first field names a row where `label` does not say otherwise."""
    words = naming.entity_words(phrase, fallback)
    return Entity(naming.class_name(phrase, fallback), " ".join(words), list(fields), label or fields[0].name)


def literal(value: Value) -> str:
    """`value` as an expression of the generated `seed.py` (names `today` and `midnight` are in scope there)."""
    match value:
        case Day(offset):
            return _offset("today", f"days={offset}" if offset else "")
        case At(day, hour, minute):
            parts = [
                f"days={day}" if day else "",
                f"hours={hour}" if hour else "",
                f"minutes={minute}" if minute else "",
            ]
            return _offset("midnight", ", ".join(part for part in parts if part))
        case Money(amount):
            return f'Decimal("{amount}")'
        case Ref(target, index):
            return f"{target.table}[{index}].id"
        case str():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return repr(value)


def _offset(base: str, arguments: str) -> str:
    return f"{base} + timedelta({arguments})" if arguments else base
