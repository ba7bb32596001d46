"""A wrong setting stops the start with one clear sentence."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pydantic
import pytest

from chassis.config import ConfigError, ServerConfig, check_listen, load


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """The process environment with only these PIPELINE_ variables."""
    before = dict(os.environ)
    for key in [key for key in before if key.upper().startswith("PIPELINE_")]:
        del os.environ[key]
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def test_environment_beats_defaults_and_overrides_beat_both() -> None:
    """Keyword overrides win over PIPELINE_ variables, which win over defaults; empty variables count as unset."""
    values = {"PIPELINE_MAX_IN_FLIGHT": "5", "PIPELINE_OFFLINE": "1", "PIPELINE_LOG_LEVEL": ""}
    with environment(values):
        config = load(ServerConfig, max_in_flight=6, state_dir="~/x")
    assert (config.max_in_flight, config.offline, config.log_level) == (6, True, "info")
    assert config.state_dir == Path.home() / "x"


def test_a_config_is_frozen() -> None:
    """Nobody changes a configuration after the start."""
    config = load(ServerConfig)
    with pytest.raises(pydantic.ValidationError):
        config.offline = True  # type: ignore[misc]


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("PIPELINE_MAX_IN_FLIGHT", "many", ["whole number", "leave it out for 64"]),
        ("PIPELINE_MAX_IN_FLIGHT", "0", ["1 or more"]),
        ("PIPELINE_DRAIN_SECONDS", "nan", ["finite"]),
        ("PIPELINE_DRAIN_SECONDS", "-1", ["0 or more"]),
        ("PIPELINE_OFFLINE", "perhaps", ["true or false"]),
        ("PIPELINE_LOG_FORMAT", "xml", ["'console' or 'json'"]),
        ("PIPELINE_LISTEN", "nowhere", ["host:port", "unix:/"]),
        ("PIPELINE_LISTEN", "localhost:99999", ["host:port"]),
        ("PIPELINE_LISTEN", "::1:50061", ["[::1]:50061"]),
        ("PIPELINE_LISTEN", "unix:/" + "x" * 200, ["107 bytes"]),
        ("PIPELINE_OTLP_ENDPOINT", "collector:4317", ["http://"]),
    ],
)
def test_a_wrong_value_gives_one_sentence_with_variable_and_mend(variable: str, value: str, words: list[str]) -> None:
    """The sentence names the variable, what was given, and what to write instead."""
    with environment({variable: value}), pytest.raises(ConfigError) as caught:
        load(ServerConfig)
    text = str(caught.value)
    assert text.startswith(f"{variable} is ")
    assert text.endswith(".")
    assert "\n" not in text
    assert "pydantic" not in text
    for word in words:
        assert word in text


def test_overrides_are_named_as_they_were_given() -> None:
    """A wrong keyword is named by its own name, an unknown one is refused."""
    with pytest.raises(ConfigError, match=r"^max_in_flight is 0"):
        load(ServerConfig, max_in_flight=0)
    with pytest.raises(ConfigError, match=r"^nope is not a setting of ServerConfig"):
        load(ServerConfig, nope=1)


def test_several_faults_are_counted() -> None:
    """The first fault is explained, the others are counted."""
    with pytest.raises(ConfigError, match=r"\(and 1 more\)\.$"):
        load(ServerConfig, max_in_flight=0, drain_seconds=-1)


def test_addresses_are_normalised() -> None:
    """unix:///path and unix:/path are the same address."""
    assert check_listen("unix:///run/s") == "unix:/run/s"
    assert check_listen("[::1]:0") == "[::1]:0"
