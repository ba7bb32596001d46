"""Names made from any words."""

from __future__ import annotations

import keyword
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.mvp.domain import naming

WORDS = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        ["class", "select", "order", "group", "{{ x }}", "../../etc", "id", "None", "sqlite_master", "Пример", "表"]
    ),
)


@given(WORDS)
def test_any_words_give_usable_names(words: str) -> None:
    """Class, field and table names are identifiers that clash with nothing, whatever the words."""
    name, field, table = naming.class_name(words), naming.field_name(words), ""
    table = naming.table_name(name)
    for made in (name, field, table):
        assert made.isidentifier()
        assert made.isascii()
        assert not keyword.iskeyword(made)
    assert name[0].isupper()
    assert field not in dir(__builtins__)
    assert not table.startswith("sqlite_")
    database = sqlite3.connect(":memory:")
    database.execute(f'CREATE TABLE "{table}" ("{field}" TEXT)')
    database.close()


@given(WORDS)
def test_slugs_are_safe_and_bounded(words: str) -> None:
    """A slug is lower-case ASCII with dashes, never empty and at most 40 characters long."""
    made = naming.slug(words)
    assert 0 < len(made) <= naming.SLUG_LENGTH_MAX
    assert set(made) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert made[0].isalpha()


@pytest.mark.parametrize(
    ("singular", "plural"),
    [
        ("battery", "batteries"),
        ("recipe", "recipes"),
        ("box", "boxes"),
        ("criterion", "criteria"),
        ("person", "people"),
        ("day", "days"),
    ],
)
def test_plurals_go_both_ways(singular: str, plural: str) -> None:
    """Regular and irregular nouns are put into the plural and back."""
    assert naming.plural(singular) == plural
    assert naming.singular(plural) == singular


@pytest.mark.parametrize("word", ["analysis", "glass", "status", "logistics", "bus"])
def test_words_that_only_look_like_plurals_stay(word: str) -> None:
    """A final s alone makes no plural."""
    assert naming.singular(word) == word


def test_reserved_words_are_renamed() -> None:
    """Python's, pydantic's and the project's own names are not taken."""
    assert naming.class_name("class") == "ClassEntry"
    assert naming.class_name("field") == "FieldEntry"
    assert naming.field_name("id") == "id_value"
    assert naming.field_name("model dump") == "its_model_dump"
    assert naming.table_name("Insight") == "insight_records"


def test_clean_removes_what_no_file_should_hold() -> None:
    """Control characters, direction overrides and lone surrogates vanish; letters of any script stay."""
    assert naming.clean("a\x00b\u202ec\ud800d é 表") == "a b cd é 表"
