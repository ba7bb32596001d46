"""Normalising what a founder writes: NFKC, no invisible characters, bounded; refusals name the field and the mend.

Characters that only hide or reorder text (zero-width, bidirectional controls, tag characters, variation selectors,
soft hyphens) and harmless controls are stripped, since editors and web pages leave them behind. NUL, ESC and lone
surrogates are refused, since no honest editor writes them and they break logs, terminals and UTF-8.
"""

from __future__ import annotations

import re
import unicodedata

from pipeline.errors import PipelineError

TEXT_CHARS_MIN = 10
TEXT_CHARS_MAX = 5_000
NAME_CHARS_MAX = 80
# Normalisation can shrink a text, but not to a fifth in honest use: beyond this nothing is even normalised, so that a
# text of a megabyte is refused in microseconds.
RAW_CHARS_MAX = 5 * TEXT_CHARS_MAX
# Fewer letters than this cannot name a product and a person (an emoji flood has none).
LETTERS_MIN = 5
# More than this share of the letters alike is a held key, not a sentence.
_SAME_LETTER_SHARE_MAX = 0.8

_SURROGATE = re.compile("[\ud800-\udfff]")
_WHITESPACE = re.compile(r"\s+")
# Combining marks beyond this many in a row are decoration that only grows the text ("zalgo").
_MARKS = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_MARKS_RUN = re.compile(f"([{_MARKS}]{{2}})[{_MARKS}]+")
_WHITE_CONTROLS = frozenset("\t\n\v\f\r\x85\u2028\u2029")


def normalise(text: str, field: str = "idea.text") -> str:
    """The idea in NFKC without invisible characters, white space collapsed: 10 to 5,000 characters.

    Idempotent. Raises PipelineError INVALID_FIELD with one violation on `field`.
    """
    _refuse_raw(text, field, RAW_CHARS_MAX, TEXT_CHARS_MAX)
    clean = _clean(text)
    letters = [char.lower() for char in clean if char.isalpha()]
    if clean and len(letters) < LETTERS_MIN:
        raise PipelineError.invalid(
            field, f"has {_count(len(letters), 'letter')}; describe the idea in words, at least one sentence"
        )
    if len(clean) < TEXT_CHARS_MIN:
        raise PipelineError.invalid(
            field, f"has {_count(len(clean), 'character')}; write at least {TEXT_CHARS_MIN}, best one whole sentence"
        )
    if len(clean) > TEXT_CHARS_MAX:
        raise PipelineError.invalid(
            field,
            f"has {len(clean):,} characters; shorten it to {TEXT_CHARS_MAX:,} or put the rest into a document",
        )
    if max(letters.count(letter) for letter in set(letters)) > _SAME_LETTER_SHARE_MAX * len(letters):
        raise PipelineError.invalid(field, "repeats one letter; describe the idea in words, at least one sentence")
    return clean


def normalise_name(name: str, field: str = "idea.name") -> str:
    """The working title, normalised the same way: empty or 1 to 80 characters; raises as `normalise` does."""
    _refuse_raw(name, field, 5 * NAME_CHARS_MAX, NAME_CHARS_MAX)
    clean = _clean(name)
    if len(clean) > NAME_CHARS_MAX:
        raise PipelineError.invalid(field, f"has {len(clean)} characters; shorten it to {NAME_CHARS_MAX}")
    if clean and not any(char.isalnum() for char in clean):
        raise PipelineError.invalid(field, "has no letter or digit; write a name, or leave it empty")
    return clean


def _refuse_raw(text: str, field: str, raw_max: int, shown_max: int) -> None:
    if len(text) > raw_max:
        raise PipelineError.invalid(field, f"has {len(text):,} characters; shorten it to {shown_max:,}")
    if match := _SURROGATE.search(text):
        raise PipelineError.invalid(
            field, f"has a lone surrogate at position {match.start()}; send valid UTF-8, or remove the character"
        )
    for bad, name in (("\x00", "a NUL character"), ("\x1b", "an escape character")):
        if (position := text.find(bad)) >= 0:
            raise PipelineError.invalid(field, f"has {name} at position {position}; remove it")


def _clean(text: str) -> str:
    # Stripping can bring characters together that NFKC then composes, and NFKC can yield characters to strip:
    # a second round reaches the fixed point.
    for _ in range(3):
        before = text
        text = unicodedata.normalize("NFKC", text)
        text = "".join(char if _visible(char) else (" " if char in _WHITE_CONTROLS else "") for char in text)
        text = _MARKS_RUN.sub(r"\1", text)
        text = _WHITESPACE.sub(" ", text).strip()
        if text == before:
            break
    return text


def _visible(char: str) -> bool:
    code = ord(char)
    if char in _WHITE_CONTROLS:
        return False
    # Categories: Cc controls, Cf format (zero-width, bidi, tags), Cs surrogates, Co private use, Cn unassigned.
    if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn"}:
        return False
    # Variation selectors and fillers are marks or letters by category, and invisible all the same.
    return not (
        0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF or code in {0x034F, 0x115F, 0x1160, 0x3164, 0xFFA0}
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
