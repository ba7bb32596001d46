"""REST over the calls of LiveCampaignService; bodies are the requests' JSON, without `name`.

GET  /v1/campaigns?page_size=&page_token=    ListCampaignsResponse
GET  /v1/runs/{run}/campaign                 GetCampaignResponse
POST /v1/runs/{run}/campaign:publish         PublishCampaignRequest -> PublishCampaignResponse
POST /v1/runs/{run}/campaign:pause           PauseCampaignResponse
POST /v1/runs/{run}/campaign:resume          ResumeCampaignResponse
POST /v1/runs/{run}/campaign:complete        CompleteCampaignResponse
POST /v1/runs/{run}/campaign:read            ReadCampaignResponse
POST /v1/runs/{run}/campaign:export          ExportCampaignRequest -> ExportCampaignResponse
"""

from __future__ import annotations

from typing import TypeVar

from aiohttp import web
from google.protobuf.message import Message

from gateway.campaigns import CampaignApi
from gateway.http import stream
from gateway.http.body import check_type, read_message
from gateway.http.routes import page_size, same_origin
from pipeline.errors import PipelineError
from pipeline.v1 import campaign_pb2

M = TypeVar("M", bound=Message)


class CampaignRoutes:
    """Handlers over the gateway's campaign calls."""

    def __init__(self, api: CampaignApi) -> None:
        self._api = api

    def add_to(self, app: web.Application) -> None:
        """Register every route."""
        one = "/v1/runs/{run}/campaign"
        app.add_routes(
            [
                web.get("/v1/campaigns", self.list),
                web.post(one + ":publish", self.publish),
                web.post(one + ":pause", self.pause),
                web.post(one + ":resume", self.resume),
                web.post(one + ":complete", self.complete),
                web.post(one + ":read", self.read),
                web.post(one + ":export", self.export),
                web.get(one, self.get),
            ]
        )

    async def list(self, request: web.Request) -> web.StreamResponse:
        asked = campaign_pb2.ListCampaignsRequest(
            page_size=page_size(request), page_token=request.query.get("page_token", "")
        )
        return _answer(await self._api.list(asked))

    async def get(self, request: web.Request) -> web.StreamResponse:
        return _answer(await self._api.get(campaign_pb2.GetCampaignRequest(name=_name(request))))

    async def publish(self, request: web.Request) -> web.StreamResponse:
        return _answer(await self._api.publish(await _read(request, campaign_pb2.PublishCampaignRequest())))

    async def pause(self, request: web.Request) -> web.StreamResponse:
        return _answer(await self._api.pause(await _read(request, campaign_pb2.PauseCampaignRequest())))

    async def resume(self, request: web.Request) -> web.StreamResponse:
        return _answer(await self._api.resume(await _read(request, campaign_pb2.ResumeCampaignRequest())))

    async def complete(self, request: web.Request) -> web.StreamResponse:
        return _answer(await self._api.complete(await _read(request, campaign_pb2.CompleteCampaignRequest())))

    async def read(self, request: web.Request) -> web.StreamResponse:
        return _answer(await self._api.read(await _read(request, campaign_pb2.ReadCampaignRequest())))

    async def export(self, request: web.Request) -> web.StreamResponse:
        return _answer(await self._api.export(await _read(request, campaign_pb2.ExportCampaignRequest())))


async def _read(request: web.Request, message: M) -> M:
    """The body where there is one, and the campaign that the address names."""
    if request.body_exists:
        await read_message(request, message)
        if getattr(message, "name", ""):
            raise PipelineError.invalid("name", "stands in the address already; leave it out of the body")
    elif not same_origin(request):
        check_type(request)
    message.name = _name(request)  # type: ignore[attr-defined]
    return message


def _name(request: web.Request) -> str:
    return f"runs/{request.match_info['run']}/campaign"


def _answer(message: Message) -> web.Response:
    return web.json_response(stream.to_dict(message))
