"""The REST surface over fake phases: JSON of the contract, typed errors, streams that resume."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from chassis.testing import ManualClock, until
from gateway.http.app import HttpSide
from gateway.testing import GatewayRig
from pipeline.v1 import common_pb2

IDEA = "A tool that helps bakeries plan how much bread to bake"


class Rest:
    """A client of a running REST side."""

    def __init__(self, rig: GatewayRig, side: HttpSide, http: aiohttp.ClientSession) -> None:
        self.rig = rig
        self.url = side.address
        self.http = http

    async def call(self, method: str, path: str, **kwargs: Any) -> tuple[int, Any]:
        async with self.http.request(method, self.url + path, **kwargs) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text else None

    async def create(self, **spec: Any) -> str:
        status, body = await self.call("POST", "/v1/runs", json={"spec": {"idea": {"text": IDEA}, **spec}})
        assert status == 201
        return str(body["run"]["name"])


@pytest.fixture
async def rest(tmp_path: Path) -> AsyncIterator[Rest]:
    async def ready() -> bool:
        return True

    async with GatewayRig(tmp_path, ManualClock()) as rig:
        side = HttpSide("127.0.0.1:0")
        await side.start(rig.api, ready)
        async with aiohttp.ClientSession(trust_env=False) as http:
            yield Rest(rig, side, http)
        await side.stop()


def parse_sse(text: str) -> list[dict[str, str]]:
    blocks = [block for block in text.split("\n\n") if block and not block.startswith((":", "retry"))]
    return [dict(line.split(": ", 1) for line in block.splitlines()) for block in blocks]


async def test_create_watch_report(rest: Rest) -> None:
    """A run created over REST streams its events, and its report and files are there at the end."""
    name = await rest.create()
    async with rest.http.get(f"{rest.url}/v1/{name}/events") as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        events = parse_sse(await answer.text())
    assert [int(event["id"]) for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["event"] == "run_finished"
    status, body = await rest.call("GET", f"/v1/{name}/report")
    assert status == 200
    assert body["report"]["run"]["state"] == "RUN_STATE_SUCCEEDED"
    status, body = await rest.call("GET", f"/v1/{name}/artifacts?page_size=2")
    assert len(body["artifacts"]) == 2
    assert body["next_page_token"]
    async with rest.http.get(f"{rest.url}/v1/{name}/artifacts/deck.html") as answer:
        assert await answer.text() == "<p>made up</p>"
        assert answer.headers["Content-Security-Policy"].startswith("sandbox")


async def test_sse_resumes_and_ends(rest: Rest) -> None:
    """Last-Event-ID continues after that number, and a finished stream answers 204 so that the browser stops."""
    name = await rest.create()
    await rest.rig.finish(name)
    last = (await rest.rig.api.get_run(name)).last_sequence
    headers = {"Last-Event-ID": "3"}
    async with rest.http.get(f"{rest.url}/v1/{name}/events", headers=headers) as answer:
        events = parse_sse(await answer.text())
    assert [int(event["id"]) for event in events] == list(range(4, last + 1))
    headers = {"Last-Event-ID": str(last)}
    async with rest.http.get(f"{rest.url}/v1/{name}/events", headers=headers) as answer:
        assert answer.status == 204


async def test_websocket_sends_the_same_events(rest: Rest) -> None:
    """A WebSocket sends each event as JSON, after the number asked for, and closes normally at the end."""
    name = await rest.create()
    async with rest.http.ws_connect(f"{rest.url}/v1/{name}/ws?after=1") as socket:
        events = [json.loads(message.data) async for message in socket]
        assert socket.close_code == 1000
    assert int(events[0]["sequence"]) == 2
    assert "run_finished" in events[-1]


async def test_dropped_stream_ends_its_handler_not_the_run(rest: Rest) -> None:
    """A reader that leaves frees its watch at once; the run goes on."""
    rest.rig.phases.script(common_pb2.PHASE_EVIDENCE).seconds = 5
    name = await rest.create()
    answer = await rest.http.get(f"{rest.url}/v1/{name}/events")
    await answer.content.readline()
    run_id = name.removeprefix("runs/")

    async def watching(expected: bool) -> None:
        await until(lambda: (run_id in repr(rest.rig.gateway.wakeup)) is expected, 1)

    await watching(True)
    answer.close()
    await watching(False)
    await rest.rig.finish(name)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "spec"),
        ({"spec": {"idea": {"text": "too short"}}}, "spec.idea.text"),
        ({"spec": {"idea": {"text": IDEA}, "budget_micros": "-1"}}, "spec.budget_micros"),
        ({"spec": {"idea": {"text": IDEA}, "budget_micros": "NaN"}}, "budget_micros"),
        ({"spec": {"idea": {"text": IDEA}, "target_investor": 99}}, "spec.target_investor"),
        ({"spec": {"idea": {"text": IDEA}, "target_investor": "UNKNOWN"}}, "target_investor"),
        ({"spec": {"idea": {"text": IDEA}}, "request_id": "x" * 65}, "request_id"),
        ({"spec": {"idea": {"text": IDEA}, "no_such_field": 1}}, "no_such_field"),
    ],
)
async def test_bad_bodies_name_the_field(rest: Rest, body: dict[str, Any], field: str) -> None:
    """A body that cannot be used gets 400 with the field and the mend; nothing is stored."""
    status, answer = await rest.call("POST", "/v1/runs", json=body)
    assert status == 400
    assert answer["error"]["reason"] == "INVALID_FIELD"
    assert any(field in violation["field"] for violation in answer["error"]["field_violations"])
    assert (await rest.call("GET", "/v1/runs"))[1] == {}


async def test_request_id_over_rest(rest: Rest) -> None:
    """The same id and body replay the run, another body gets 422."""
    body = {"spec": {"idea": {"text": IDEA}}, "request_id": "once"}
    first = await rest.call("POST", "/v1/runs", json=body)
    again = await rest.call("POST", "/v1/runs", json=body)
    assert first[1]["run"]["name"] == again[1]["run"]["name"]
    other = {"spec": {"idea": {"text": IDEA + " today"}}, "request_id": "once"}
    status, answer = await rest.call("POST", "/v1/runs", json=other)
    assert (status, answer["error"]["reason"]) == (422, "REQUEST_ID_REUSED")


async def test_unknown_things_are_404(rest: Rest) -> None:
    """Unknown runs, batches, artifacts and addresses are NOT_FOUND, each with its reason and a request id."""
    name = await rest.create()
    await rest.rig.finish(name)
    for path, reason in (
        ("/v1/nothing", "NOT_FOUND"),
        (f"/v1/runs/{'0' * 26}", "RUN_NOT_FOUND"),
        ("/v1/runs/..%2f..", "RUN_NOT_FOUND"),
        (f"/v1/batches/{'0' * 26}", "BATCH_NOT_FOUND"),
        (f"/v1/{name}/artifacts/nothing.txt", "ARTIFACT_NOT_FOUND"),
        (f"/v1/{name}/artifacts/..%2f..%2fruns.db", "ARTIFACT_NOT_FOUND"),
    ):
        status, body = await rest.call("GET", path)
        assert (status, body["error"]["reason"]) == (404, reason), path
        assert body["error"]["request_id"]


async def test_states_of_a_run_over_rest(rest: Rest) -> None:
    """A report asked for too early is 409 with a time to wait; a run is cancelled once."""
    rest.rig.phases.script(common_pb2.PHASE_EVIDENCE).seconds = 60
    name = await rest.create()
    async with rest.http.get(f"{rest.url}/v1/{name}/report") as answer:
        assert answer.status == 409
        assert answer.headers["Retry-After"]
        assert (await answer.json())["error"]["reason"] == "RUN_NOT_FINISHED"
    status, body = await rest.call("POST", f"/v1/{name}:cancel")
    assert (status, body["run"]["state"]) == (200, "RUN_STATE_CANCELLED")
    status, body = await rest.call("POST", f"/v1/{name}:cancel")
    assert (status, body["error"]["reason"]) == (409, "RUN_ALREADY_ENDED")


async def test_foreign_pages_are_kept_out(rest: Rest) -> None:
    """A form of another site, a foreign WebSocket and a rebound name get nowhere."""
    status, _ = await rest.call("POST", "/v1/runs", data={"spec": "x"})
    assert status == 415
    name = await rest.create()
    status, _ = await rest.call("POST", f"/v1/{name}:cancel", headers={"Origin": "https://evil.example"})
    assert status == 415
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await rest.http.ws_connect(f"{rest.url}/v1/{name}/ws", headers={"Origin": "https://evil.example"})
    assert caught.value.status == 403
    status, _ = await rest.call("GET", "/v1/runs", headers={"Host": "evil.example"})
    assert status == 403


async def test_oversized_and_broken_bodies(rest: Rest) -> None:
    """A body that is too large, not JSON or carries a lone surrogate is refused without a crash."""
    big = json.dumps({"spec": {"idea": {"text": "x" * (17 * 1024 * 1024)}}})
    headers = {"Content-Type": "application/json"}
    for data, status in ((big, 413), ("{", 400), ('{"spec": {"idea": {"text": "abcdefghij \\ud800"}}}', 400)):
        got, body = await rest.call("POST", "/v1/runs", data=data, headers=headers)
        assert (got, body["error"]["status"]) == (status, "INVALID_ARGUMENT")


async def test_batch_over_rest(rest: Rest) -> None:
    """A batch runs equal ideas once, ranks them, and its stream ends with the batch."""
    other = "A marketplace for used laboratory equipment of universities"
    specs = [{"idea": {"text": text}} for text in (IDEA, other, IDEA.upper())]
    status, body = await rest.call("POST", "/v1/batches", json={"specs": specs, "budget_micros": "30000000"})
    assert status == 201
    name = body["batch"]["name"]
    async with rest.http.get(f"{rest.url}/v1/{name}/events") as answer:
        batches = [json.loads(event["data"]) for event in parse_sse(await answer.text())]
    last = batches[-1]
    assert last["state"] == "BATCH_STATE_ENDED"
    assert len({entry["run"] for entry in last["entries"]}) == 2
    duplicate = next(entry for entry in last["entries"] if "duplicate_of" in entry)
    assert (duplicate["index"], duplicate["duplicate_of"]) == (2, 0)
    assert {entry["rank"] for entry in last["entries"]} == {1, 2}
    caps = {(await rest.rig.api.get_run(e["run"])).budget.cap_micros for e in last["entries"]}
    assert caps == {15_000_000}


async def test_health(rest: Rest) -> None:
    """Liveness and readiness answer."""
    assert await rest.call("GET", "/healthz") == (200, {"status": "alive"})
    assert await rest.call("GET", "/readyz") == (200, {"status": "ready"})


async def test_taken_port_is_a_clear_sentence(rest: Rest) -> None:
    """A second server on the same port says which setting to change."""
    from chassis.listen import ListenError

    async def ready() -> bool:
        return True

    with pytest.raises(ListenError, match="PIPELINE_HTTP_LISTEN"):
        await HttpSide(rest.url.removeprefix("http://")).start(rest.rig.api, ready)
