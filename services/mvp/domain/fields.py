"""A field in each language of the generated project: its Python type, its SQL column, a valid value for a test."""

from __future__ import annotations

from typing import Final

from services.mvp.domain import model
from services.mvp.domain.model import FieldDraft

_SQL_TYPES: Final = {
    model.INTEGER: "INTEGER",
    model.BOOLEAN: "INTEGER",
    model.REFERENCE: "INTEGER",
}


def annotation(field: FieldDraft) -> str:
    """The field's type and default in `models.py`."""
    nothing = "" if field.required else " | None = None"
    match field.type:
        case model.STRING:
            return "Line" if field.required else 'OptionalLine = ""'
        case model.TEXT:
            return "Paragraph" if field.required else 'OptionalParagraph = ""'
        case model.EMAIL:
            return "Email" if field.required else 'Email = ""'
        case model.INTEGER:
            lowest = -1_000_000_000 if field.minimum is None else field.minimum
            return f"Annotated[int, Field(ge={lowest}, le={field.maximum or 1_000_000_000})]{nothing}"
        case model.DECIMAL:
            low = "" if field.minimum is None else f"ge={field.minimum}, "
            high = "" if field.maximum is None else f"le={field.maximum}, "
            return f"Annotated[Decimal, Field({low}{high}max_digits=14, decimal_places=4)]{nothing}"
        case model.BOOLEAN:
            return "bool = False"
        case model.DATE:
            return f"date{nothing}"
        case model.DATETIME:
            return f"NaiveDatetime{nothing}"
        case model.ENUM:
            choices = ", ".join(f'"{value}"' for value in field.values)
            return f'Literal[{choices}] = "{field.values[0]}"'
        case _:
            target = field.reference.table if field.reference else ""
            return f'Annotated[int, Reference("{target}")]'


def column(field: FieldDraft) -> str:
    """The field's column type in `schema.sql`."""
    sql = _SQL_TYPES.get(field.type, "TEXT")
    empty = field.type in {model.STRING, model.TEXT, model.EMAIL, model.BOOLEAN, model.ENUM}
    if field.required or empty:
        sql += " NOT NULL"
    if field.type == model.ENUM:
        choices = ", ".join(f"'{value}'" for value in field.values)
        sql += f' CHECK ("{field.name}" IN ({choices}))'
    if field.reference is not None:
        sql += f' REFERENCES "{field.reference.table}" ("id")'
    return sql


def sample(field: FieldDraft) -> str:
    """A valid value as an expression of the generated tests."""
    match field.type:
        case model.STRING | model.TEXT:
            return f'"Some {field.label.lower()}"'
        case model.EMAIL:
            return '"someone@example.com"'
        case model.INTEGER:
            return str(max(field.minimum or 0, min(30, field.maximum or 30)))
        case model.DECIMAL:
            return f'Decimal("{min(10, field.maximum or 10)}")'
        case model.BOOLEAN:
            return "True"
        case model.DATE:
            return "TODAY + timedelta(days=3)"
        case model.DATETIME:
            return "NOW + timedelta(days=1)"
        case _:
            return f'"{field.values[0]}"'
