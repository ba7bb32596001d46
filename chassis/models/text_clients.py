"""One call to a real text model, through pydantic-ai: OpenAI-compatible servers and Anthropic.

Nothing here retries, books or decides; `chassis.models.text_adapter` does. The libraries' own retries, redirects,
proxies from the environment, price updates and debug logs (which hold prompts) are off.
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx2

from chassis.config import ConfigError
from chassis.models.address import is_this_machine
from chassis.models.prices import PriceList
from chassis.models.text_errors import output_mode_refused, translated

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic_ai.messages import ModelResponse
    from pydantic_ai.models import Model, ModelRequestParameters
    from pydantic_ai.settings import ModelSettings

    from chassis.config import TextModelConfig
    from chassis.models.prompt import Prompt

OPENAI_URL = "https://api.openai.com/v1"
ANTHROPIC_URL = "https://api.anthropic.com"
CONNECT_SECONDS = 10.0
# An answer of 4,000 tokens is about 16 kB; a larger body is not an answer.
BODY_BYTES_MAX = 1024 * 1024
# Connections kept open; the adapter lets fewer calls through.
_CONNECTIONS = 16
# Trace ids of ours, which the libraries would hand to the provider.
_OURS_ALONE = ("traceparent", "tracestate", "baggage")
_LOUD_LOGGERS = ("openai", "anthropic", "httpx2", "httpcore2", "pydantic_ai")


@dataclass(frozen=True)
class Answer:
    """What came back: the structure as JSON text, unchecked; `refused` where the model would not answer."""

    text: str
    model: str
    input_tokens: int
    output_tokens: int
    finish_reason: str
    refused: bool


class ModelClient:
    """A model at an address. `name` is "openai:gpt-x"; `local`: the address is this machine's."""

    def __init__(self, provider: str, model: Model[Any], http: httpx2.AsyncClient, url: str, official: bool) -> None:
        self.provider = provider
        self.model = model.model_name
        self.name = f"{provider}:{self.model}"
        self.host = urlsplit(url).hostname or ""
        self.local = is_this_machine(self.host)
        self.prices = PriceList(self.model, provider=provider, provider_url="" if official else url, local=self.local)
        self._model = model
        self._http = http
        self._official = official
        # OpenAI-compatible servers differ in how they take a JSON Schema; see `ask`.
        self._plain_json = False

    async def ask(self, prompt: Prompt, output: type[BaseModel], tokens_max: int, temperature: float) -> Answer:
        """One answer. Raises PipelineError as `chassis.models.text_errors` translates it.

        A compatible server that does not know `response_format: json_schema` (llama-cpp-python) says 400 or 422. It
        is asked again at once, and from then on, with `json_object` and the schema beside it and in the prompt.
        """
        try:
            try:
                response = await self._request(prompt, output, tokens_max, temperature)
            except Exception as error:
                if self._plain_json or self.provider != "openai" or not output_mode_refused(error):
                    raise
                self._plain_json = True
                response = await self._request(prompt, output, tokens_max, temperature)
        except Exception as error:
            # Whatever the libraries raise. The cause is dropped: it holds bodies, which may hold the prompt.
            raise translated(error, self.name) from None
        return _answer(response, self.model)

    async def _request(
        self, prompt: Prompt, output: type[BaseModel], tokens_max: int, temperature: float
    ) -> ModelResponse:
        from pydantic_ai.direct import model_request
        from pydantic_ai.messages import ModelRequest, SystemPromptPart, UserPromptPart

        settings: ModelSettings = {"max_tokens": tokens_max, "temperature": temperature}
        system, schema = prompt.system, output.model_json_schema()
        if self._plain_json:
            system += f"\n\nAnswer with one JSON object of this JSON Schema and nothing else: {_compact(schema)}"
            beside = {} if self._official else {"schema": schema}
            settings["extra_body"] = {"response_format": {"type": "json_object", **beside}}
        message = ModelRequest(parts=[SystemPromptPart(system), UserPromptPart(prompt.user)])
        return await model_request(
            self._model,
            [message],
            model_settings=settings,
            model_request_parameters=self._parameters(output, schema),
            instrument=False,
        )

    def _parameters(self, output: type[BaseModel], schema: dict[str, Any]) -> ModelRequestParameters:
        from pydantic_ai.models import ModelRequestParameters
        from pydantic_ai.output import OutputObjectDefinition
        from pydantic_ai.tools import ToolDefinition

        if self._plain_json:
            return ModelRequestParameters()
        if self._model.profile.get("supports_json_schema_output", False):
            target = OutputObjectDefinition(json_schema=schema, name=output.__name__)
            return ModelRequestParameters(output_mode="native", output_object=target)
        tool = ToolDefinition(
            name="answer", parameters_json_schema=schema, description="Give the answer.", kind="output"
        )
        return ModelRequestParameters(output_mode="tool", output_tools=[tool], allow_text_output=False)

    async def close(self) -> None:
        await self._http.aclose()

    def __repr__(self) -> str:
        return f"<ModelClient {self.name} at {self.host}>"


def client_for(config: TextModelConfig) -> ModelClient:
    """The client that the configuration asks for; nothing is sent. Raises ConfigError with the mend."""
    provider, _, model = config.text_model.partition(":")
    default = OPENAI_URL if provider == "openai" else ANTHROPIC_URL
    url = config.text_model_url.rstrip("/") or default
    key = config.text_model_key.get_secret_value()
    if not key and (url == default or provider == "anthropic"):
        raise ConfigError(
            f"PIPELINE_TEXT_MODEL is {config.text_model!r}: it needs a key; set PIPELINE_TEXT_MODEL_KEY, "
            "or PIPELINE_TEXT_MODEL_URL for an OpenAI-compatible server that takes none."
        )
    for name in _LOUD_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
    http = _http_client(config.text_model_timeout_seconds)
    make = _openai if provider == "openai" else _anthropic
    return ModelClient(provider, make(model, url, key, http, url == default), http, url, url == default)


def _openai(model: str, url: str, key: str, http: httpx2.AsyncClient, official: bool) -> Model[Any]:
    from openai import AsyncOpenAI
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.profiles.openai import OpenAIModelProfile
    from pydantic_ai.providers.openai import OpenAIProvider
    from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

    # A placeholder, since the library insists: servers without a key ignore it.
    client = AsyncOpenAI(api_key=key or "none", base_url=url, max_retries=0, http_client=http)
    client.organization = client.project = None  # read from the environment, which decides nothing here
    if official:
        return OpenAIChatModel(model, provider=OpenAIProvider(openai_client=client))
    compatible = OpenAICompatibleProvider("openai-compatible", openai_client=client)
    # The older field: compatible servers know it, and some ignore the newer one, which would leave no bound.
    profile = OpenAIModelProfile(openai_chat_supports_max_completion_tokens=False, supports_json_schema_output=True)
    return OpenAIChatModel(model, provider=compatible, profile=profile)


def _anthropic(model: str, url: str, key: str, http: httpx2.AsyncClient, official: bool) -> Model[Any]:
    from anthropic import AsyncAnthropic
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    client = AsyncAnthropic(api_key=key, base_url=url, max_retries=0, http_client=http)
    return AnthropicModel(model, provider=AnthropicProvider(anthropic_client=client))


def _answer(response: ModelResponse, model: str) -> Answer:
    from pydantic_ai.messages import TextPart, ToolCallPart

    calls = [part.args_as_json_str() for part in response.parts if isinstance(part, ToolCallPart)]
    texts = [part.content for part in response.parts if isinstance(part, TextPart)]
    reason = str(response.finish_reason or "")
    return Answer(
        text=calls[0] if calls else "".join(texts),
        model=response.model_name or model,
        input_tokens=response.usage.input_tokens,
        output_tokens=response.usage.output_tokens,
        finish_reason=reason,
        refused=reason == "content_filter",
    )


def _compact(schema: dict[str, Any]) -> str:
    return json.dumps(schema, separators=(",", ":"))


# ------------------------------------------------------------------------------------------- transport


def _http_client(total_seconds: float) -> httpx2.AsyncClient:
    """No redirects, no proxies or certificates from the environment, bounded connections and bodies."""
    limits = httpx2.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS)
    return httpx2.AsyncClient(
        transport=_Bounded(httpx2.AsyncHTTPTransport(limits=limits, trust_env=False)),
        timeout=httpx2.Timeout(total_seconds, connect=min(CONNECT_SECONDS, total_seconds)),
        follow_redirects=False,
        trust_env=False,
        headers={"Accept-Encoding": "identity"},
    )


class AnswerRefusedError(httpx2.TransportError):
    """The answer is larger than any answer can be, or compressed although that was not asked for."""


class _Bounded(httpx2.AsyncBaseTransport):
    """Reads no more than `BODY_BYTES_MAX` of an answer."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        request.headers["Accept-Encoding"] = "identity"
        for name in _OURS_ALONE:
            request.headers.pop(name, None)
        response = await self._inner.handle_async_request(request)
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            await response.aclose()
            raise AnswerRefusedError("sent an encoding that was not asked for", request=request)
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _BoundedStream(response.stream, request)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _BoundedStream(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream, request: httpx2.Request) -> None:
        self._inner = inner
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._inner:
            size += len(chunk)
            if size > BODY_BYTES_MAX:
                raise AnswerRefusedError(f"sent more than {BODY_BYTES_MAX} bytes", request=self._request)
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()
