"""Whom an ordinary sentence is for, where they come late, by their doing, or behind a command."""

from __future__ import annotations

import pytest

from chassis.idea.reading import read_idea


@pytest.mark.parametrize(
    ("text", "audiences"),
    [
        ("Payment software for swimming schools that ends unpaid lessons.", ["swimming schools"]),
        ("Alerts about ice on the road, aimed at school bus drivers", ["school bus drivers"]),
        ("A hotline for nurses fed up with double shifts", ["nurses"]),
        ("Help carpenters nail down a price before the visit", ["carpenters"]),
        ("An app for people who sing at home", ["people who sing at home"]),
        ("Is there any way to keep cyclists from falling on tram tracks?", ["cyclists"]),
    ],
)
def test_names_whom_it_is_for(text: str, audiences: list[str]) -> None:
    """The people are read without what they are tired of and without the command before them."""
    profile = read_idea(text).profile
    assert list(profile.audiences) == audiences
    assert "audiences" not in profile.inferred_fields


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("A hotline for nurses fed up with double shifts", "double shifts"),
        ("Is there any way to keep cyclists from falling on tram tracks?", "cyclists falling on tram tracks"),
    ],
)
def test_what_they_are_tired_of_hurts(text: str, problem: str) -> None:
    """What people are fed up with, or are to be kept from, is the stated problem."""
    profile = read_idea(text).profile
    assert profile.problem == problem
    assert "problem" not in profile.inferred_fields
