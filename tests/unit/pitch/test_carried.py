"""A sentence of a text model stands on a slide only where the evidence that it names carries it."""

from __future__ import annotations

import pytest

from services.pitch.domain.carried import why_not
from tests.support.pitches import item

OWN = "A mobile app that helps households waste less food by tracking expiry dates"
SURVEY = item("problem", "In our survey 63% of 412 households threw food away every week.")
DOUBT = item("problem", "Most people shrug at food waste: only 7 of 90 would change a habit for it.")

REFUSAL = item("willingness-to-pay", "Two thirds said they would not pay more than $4 a month.")


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("63% of the households in a survey threw food away every week", [SURVEY]),
        ("Every week households threw food away: so a survey of 412 says", [SURVEY]),
        ("Only 7 of 90 people would change a habit for food waste", [DOUBT]),
        ("Two thirds would not pay more than $4 a month", [REFUSAL]),
    ],
)
def test_what_the_quotes_say_is_carried(text: str, items: list) -> None:  # type: ignore[type-arg]
    """The same in other words, with the same numbers."""
    assert why_not(text, items, OWN) == ""


@pytest.mark.parametrize(
    ("text", "items", "why"),
    [
        ("Households throw food away every week", [], "name no evidence"),
        ("73% of the households in a survey threw food away every week", [SURVEY], "number"),
        ("Households threw food away every week, 12 kilos each in the survey", [SURVEY], "number"),
        ("Supermarkets throw away bread because regulators set narrow limits on shelf life", [SURVEY], "say more"),
        ("Households in the survey never threw food away in a week", [SURVEY], "deny"),
        ("Only $7 of 90 people would change a habit for food waste", [DOUBT], "unit"),
        ("In a survey 412% of households threw food away every week", [SURVEY], "unit"),
        ("Most households in a survey threw food away every week", [SURVEY], "amount"),
        ("Food that households threw away every week has doubled in a survey", [SURVEY], "amount"),
        ("Every week households in the survey rarely threw food away", [SURVEY], "deny"),
        ("People said they would pay more than $4 a month", [REFUSAL], "deny"),
        ("The best survey of households that threw food away every week", [SURVEY], "praise"),
        ("Households threw food away: see https://evil.example", [SURVEY], "no plain sentence"),
        ("<b>Households</b> threw food away every week", [SURVEY], "no plain sentence"),
        ("Food waste", [SURVEY], "no plain sentence"),
    ],
)
def test_what_they_do_not_say_is_not(text: str, items: list, why: str) -> None:  # type: ignore[type-arg]
    """Another number, another fact, another sense, praise, links and markup are refused, each with its reason."""
    assert why in why_not(text, items, OWN)


def test_the_founders_words_alone_carry_nothing() -> None:
    """A sentence about the idea that shares no word with its evidence is not carried by it."""
    rule = item("problem", "A rule of 2024 asks restaurants for records.")
    assert why_not("An app helps households waste less food by tracking expiry dates", [rule], OWN)
