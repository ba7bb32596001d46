"""Servers on loopback that answer as OpenAI-compatible servers and Anthropic do, and misbehave on demand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from pydantic import BaseModel, Field

from chassis.clock import Clock
from chassis.config import TextModelConfig, load
from chassis.models.text import CompletionRequest, Message
from chassis.models.text_adapter import AdaptedTextModel
from chassis.models.text_clients import client_for
from chassis.telemetry import Telemetry
from chassis.testing import recording_telemetry

SECRET = "sk-secret-0123456789"
# In micros.
USD = 1_000_000

Reply = Callable[["ModelServer"], Awaitable[web.StreamResponse]]


class City(BaseModel):
    """What the tests ask for."""

    city: str = Field(max_length=20)
    people: int = Field(ge=0)


VALID = json.dumps({"city": "Lisbon", "people": 545_000})


def request(key: str = "step-1", text: str = "Lisbon has 545,000 people.") -> CompletionRequest[City]:
    """A question about a page."""
    return CompletionRequest(
        [Message("system", "Read the city."), Message("user", text, untrusted=True, label="page")],
        City,
        key=key,
        purpose="reading",
        output_tokens_max=200,
    )


@dataclass
class ModelServer:
    """What the server was sent, and what it answers: `replies` in turn, the last one for ever."""

    replies: list[Reply]
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    url: str = ""
    now: int = 0
    most_at_once: int = 0
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    latest: web.Request | None = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(await request.json())
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        self.latest = request
        self.now += 1
        self.most_at_once = max(self.most_at_once, self.now)
        self.asked.set()
        try:
            return await self.replies[min(len(self.bodies), len(self.replies)) - 1](self)
        finally:
            self.now -= 1


def chat(content: str | None, *, finish: str = "stop", refusal: str | None = None) -> Reply:
    """A chat completion of an OpenAI-compatible server: 120 tokens in, 30 out."""
    return answered(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1_760_000_000,
            "model": "gpt-4o-mini-2024-07-18",
            "choices": [
                {
                    "index": 0,
                    "finish_reason": finish,
                    "logprobs": None,
                    "message": {"role": "assistant", "content": content, "refusal": refusal, "annotations": []},
                }
            ],
            "usage": {"prompt_tokens": 120, "completion_tokens": 30, "total_tokens": 150},
        }
    )


def message(content: list[dict[str, Any]], *, stop: str = "end_turn") -> Reply:
    """A message of Anthropic: 120 tokens in, 30 out."""
    return answered(
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-haiku-4-5-20251001",
            "content": content,
            "stop_reason": stop,
            "stop_sequence": None,
            "usage": {
                "input_tokens": 120,
                "output_tokens": 30,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0,
                "service_tier": "standard",
            },
        }
    )


def answered(body: object, status: int = 200, **headers: str) -> Reply:
    """Any JSON answer; write header names with underscores."""

    async def reply(server: ModelServer) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(text=json.dumps(body), status=status, headers=named, content_type="application/json")

    return reply


def openai_error(status: int, code: str | None, text: str, **headers: str) -> Reply:
    """An error in OpenAI's shape."""
    kind = "invalid_request_error" if status < 429 else "requests"
    return answered({"error": {"message": text, "type": kind, "param": None, "code": code}}, status, **headers)


def anthropic_error(status: int, kind: str, text: str, **headers: str) -> Reply:
    """An error in Anthropic's shape."""
    return answered(
        {"type": "error", "error": {"type": kind, "message": text}, "request_id": "req_1"}, status, **headers
    )


def held(after: Reply) -> Reply:
    """Waits for `server.go_on`, then answers."""

    async def reply(server: ModelServer) -> web.StreamResponse:
        await server.go_on.wait()
        return await after(server)

    return reply


async def silent(server: ModelServer) -> web.StreamResponse:
    """Never answers."""
    await asyncio.Event().wait()
    return web.Response()


async def reset(server: ModelServer) -> web.StreamResponse:
    """Closes the connection without a word."""
    assert server.latest is not None
    assert server.latest.transport is not None
    server.latest.transport.abort()
    return web.Response()


@asynccontextmanager
async def model_server(*replies: Reply) -> AsyncIterator[ModelServer]:
    """A server whose `url` is the base address of an OpenAI-compatible API (and Anthropic's, without /v1)."""
    server = ModelServer(list(replies))
    app = web.Application()
    app.router.add_post("/v1/chat/completions", server.handle)
    app.router.add_post("/v1/messages", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield server
    finally:
        server.go_on.set()
        await runner.cleanup()


@asynccontextmanager
async def adapted(
    server: ModelServer,
    model: str = "openai:gpt-4o-mini",
    *,
    telemetry: Telemetry | None = None,
    clock: Clock | None = None,
    priced: bool = False,
    **options: Any,
) -> AsyncIterator[AdaptedTextModel]:
    """A model at `server`; `priced`: booked as at the provider's own address."""
    base = f"{server.url}/v1" if model.startswith("openai:") else server.url
    config = load(TextModelConfig, text_model=model, text_model_url=base, text_model_key=SECRET)
    client = client_for(config)
    if priced:
        client.prices = type(client.prices)(client.model, provider=client.provider)
    subject = AdaptedTextModel(client, telemetry=telemetry or recording_telemetry(), clock=clock, **options)
    try:
        yield subject
    finally:
        await subject.close()
