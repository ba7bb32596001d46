"""Configuration: frozen, typed, read from `PIPELINE_*` variables; a wrong value is one clear sentence.

Each server subclasses `ServerConfig` and builds it with `load(EvidenceConfig, listen=...)`: keyword overrides
win over the environment, the environment wins over defaults. Nothing reads the environment later on.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal, TypeVar

import platformdirs
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

ENV_PREFIX = "PIPELINE_"
APP_DIR = "startup-idea-pipeline"

# The kernel allows 107 bytes for a unix socket's path, whatever is asked for.
UNIX_PATH_BYTES_MAX = 107


class ConfigError(Exception):
    """The start is refused; the text is one sentence that names the variable and the mend."""


def default_state_dir() -> Path:
    return Path(platformdirs.user_state_dir(APP_DIR))


def check_listen(value: str) -> str:
    """Returns `value` when it is `host:port` or `unix:/absolute/path`; raises ValueError with the mend."""
    example = "write host:port (127.0.0.1:50061) or unix:/absolute/path"
    if value.startswith("unix:"):
        path = value.removeprefix("unix:").removeprefix("//")
        if not path.startswith("/"):
            raise ValueError(f"is not an address to listen on; {example}")
        if len(os.fsencode(path)) > UNIX_PATH_BYTES_MAX:
            raise ValueError(f"has a socket path of more than {UNIX_PATH_BYTES_MAX} bytes; choose a shorter folder")
        return f"unix:{path}"
    host, separator, port = value.rpartition(":")
    if not separator or not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise ValueError(f"is not an address to listen on; {example}")
    if ":" in host and not (host.startswith("[") and host.endswith("]")):
        raise ValueError("has an IPv6 host without brackets; write [::1]:50061")
    return value


class ServerConfig(BaseSettings):
    """What every server is told. Field `max_in_flight` is read from `PIPELINE_MAX_IN_FLIGHT`, and so on."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, frozen=True, extra="forbid", validate_default=True, env_ignore_empty=True
    )

    listen: str = Field("127.0.0.1:0", description="address to serve on: host:port or unix:/path")
    state_dir: Path = Field(
        default_factory=default_state_dir, description="folder for databases, artifacts and sockets"
    )
    cache_on_disk: bool = Field(True, description="false: cached answers live in memory only")
    cache_bytes_max: int = Field(
        256 * 1024 * 1024, ge=1024 * 1024, le=64 * 1024**3, description="bytes of answers kept in state_dir/cache.db"
    )
    offline: bool = Field(False, description="true: open no outside connection and ask no DNS")
    max_in_flight: int = Field(
        64, ge=1, le=10_000, description="calls worked on at the same time; more are refused at once"
    )
    drain_seconds: float = Field(
        20.0, ge=0, le=600, allow_inf_nan=False, description="time in-flight calls get to finish at shutdown"
    )
    unary_deadline_seconds: float = Field(
        30.0, gt=0, le=3_600, allow_inf_nan=False, description="deadline of a unary call that brings none"
    )
    stream_deadline_seconds: float = Field(
        600.0, gt=0, le=86_400, allow_inf_nan=False, description="deadline of a stream that brings none"
    )
    otlp_endpoint: str = Field("", description="OTLP gRPC collector (http://host:4317); empty: none")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="lowest level logged")
    log_format: Literal["console", "json"] = Field("console", description="how log lines look")
    embedder: Literal["minilm", "none"] = Field("minilm", description="sentence embedder to load")
    embedding_device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="where the embedder computes; auto: on a GPU where onnxruntime has one"
    )
    embedding_url: str = Field(
        "", description="server that embeds instead: .../embed (TEI) or .../v1/embeddings (OpenAI-compatible)"
    )
    embedding_key: SecretStr = Field(SecretStr(""), description="key for the embedding server")
    embedding_model: str = Field("", max_length=200, description="model to ask the embedding server for")

    @field_validator("listen")
    @classmethod
    def _listen(cls, value: str) -> str:
        return check_listen(value)

    @field_validator("log_level", "log_format", "embedder", "embedding_device", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.strip().lower() if isinstance(value, str) else value

    @field_validator("otlp_endpoint")
    @classmethod
    def _endpoint(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://, for example http://localhost:4317")
        return value

    @field_validator("embedding_url")
    @classmethod
    def _embedding_endpoint(cls, value: str) -> str:
        if value and not (value.startswith(("http://", "https://")) and value.endswith(("/embed", "/embeddings"))):
            raise ValueError("names no endpoint; write http://host:port/embed (TEI) or https://host/v1/embeddings")
        return value

    @field_validator("state_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()


class TextModelConfig(ServerConfig):
    """What a server that may use a text model is told besides. Without it, words and rules do the work."""

    text_model: str = Field(
        "none", max_length=200, description="none, openai:NAME (any OpenAI-compatible server) or anthropic:NAME"
    )
    text_model_url: str = Field("", description="base address of the model's API; empty: the provider's own")
    text_model_key: SecretStr = Field(SecretStr(""), description="key for the text model")
    text_model_timeout_seconds: float = Field(
        60.0, gt=0, le=600, allow_inf_nan=False, description="time for one question with its retries and its repair"
    )

    @field_validator("text_model")
    @classmethod
    def _text_model(cls, value: str) -> str:
        provider, _, name = value.partition(":")
        if value != "none" and not (provider in ("openai", "anthropic") and name.strip()):
            raise ValueError("names no model; write none, openai:NAME or anthropic:NAME")
        return value

    @field_validator("text_model_url")
    @classmethod
    def _text_model_url(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("is no address; write http://host:port/v1 or https://host/v1")
        return value


C = TypeVar("C", bound=BaseSettings)


def load(cls: type[C], **overrides: Any) -> C:
    """Builds `cls` from overrides, environment and defaults. Raises ConfigError: one sentence, the first fault."""
    try:
        return cls(**overrides)
    except ValidationError as error:
        faults = [dict(item) for item in error.errors()]
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise ConfigError(f"{_sentence(cls, faults[0], overrides)}{more}.") from None
    except SettingsError as error:  # a list or mapping in the environment that is not JSON
        raise ConfigError(f"{error}: write the value as JSON, or unset the variable.") from None


# pydantic's error types in our words; `{x}` is taken from the error's context.
_REASONS = {
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "bool_parsing": "must be true or false",
    "finite_number": "must be a finite number",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be {ge} or more",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be {le} or less",
    "literal_error": "must be {expected}",
    "missing": "must be set",
}


def _sentence(cls: type[BaseSettings], fault: dict[str, Any], overrides: dict[str, Any]) -> str:
    """`PIPELINE_X is 'y': it must be ... (meaning); correct it or leave it out for z`, without the full stop."""
    name = str(fault["loc"][0]) if fault["loc"] else "configuration"
    prefix = str(cls.model_config.get("env_prefix", ENV_PREFIX))
    subject = name if name in overrides else f"{prefix}{name}".upper()
    if fault["type"] == "extra_forbidden":
        return f"{name} is not a setting of {cls.__name__}; remove it"
    given = repr(fault.get("input"))
    given = given if len(given) <= 80 else given[:79] + "…"
    known = _REASONS.get(fault["type"])
    message = str(fault["msg"]).removeprefix("Value error, ")
    reason = known.format(**fault.get("ctx", {})) if known else message[:1].lower() + message[1:]
    info = cls.model_fields.get(name)
    meaning = f" ({info.description})" if info is not None and info.description else ""
    if "write " in reason or "choose " in reason:
        return f"{subject} is {given}: it {reason}"
    sentence = f"{subject} is {given}: it {reason}{meaning}"
    default = "" if info is None or info.is_required() or info.default_factory else f" for {info.default}"
    return f"{sentence}; correct it or leave it out{default}"
