"""Fly.io: a front before the counting server, its names, its lease, and what refusals mean."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
from pydantic import SecretStr

from bench.replay.platforms.fly import TOKEN, FlyReplay
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2
from services.campaign.providers.base import Done
from services.campaign.providers.fly import APP, IPV4, IPV6, MACHINE
from services.campaign.providers.fly_front import CADDYFILE_PATH, PORT, FlyAccess, app_name, caddyfile
from tests.support.ads import CAMPAIGN, body_of, fly, launched, made, planned

FRONT = f"front-{CAMPAIGN}"


async def test_the_replay_takes_app_addresses_and_machine() -> None:
    """One of each, under a name that holds the campaign's id."""
    async with FlyReplay() as replay, fly(replay) as platform:
        done = await made(platform, launched())

        assert dict(replay.made) == {"apps": 1, "shared_v4": 1, "v6": 1, "machines": 1}
        assert done[APP] == FRONT
        assert {ip["ip"] for ip in replay.addresses(FRONT)} == {done[IPV4], done[IPV6]}
        assert [m["id"] for m in replay.machines(FRONT)] == [done[MACHINE]]


async def test_the_app_s_effect_tells_where_visitors_reach_it() -> None:
    """Made or found, its address is told."""
    launch = launched()
    async with FlyReplay() as replay, fly(replay) as platform:
        step = platform.steps(launch)[0]
        first = await platform.perform(launch, step, Done())
        found = await platform.find(launch, step, Done())
        assert found is not None
        assert first.detail.endswith(f"at https://{FRONT}.fly.dev")
        assert found.detail.endswith(first.detail)


async def test_the_machine_is_made_stopped_and_a_visitor_wakes_it() -> None:
    """It starts with the campaign; while that is paused, whoever comes is still told so, and nobody costs nothing."""
    async with FlyReplay() as replay, fly(replay) as platform:
        await made(platform, launched())

        machine = replay.machines(FRONT)[0]
        assert machine["state"] == "created"
        service = machine["config"]["services"][0]
        assert (service["autostart"], service["autostop"]) == (True, "suspend")
        assert service["internal_port"] == PORT
        assert [port["port"] for port in service["ports"]] == [80, 443]


async def test_the_machine_passes_visits_on_to_the_counting_server() -> None:
    """Its configuration names the origin, and hands on the address that Fly's proxy saw."""
    async with FlyReplay() as replay, fly(replay) as platform:
        await made(platform, launched())

        file = replay.machines(FRONT)[0]["config"]["files"][0]
        content = base64.b64decode(file["raw_value"]).decode()
        assert file["guest_path"] == CADDYFILE_PATH
        assert "reverse_proxy https://try.example.org {" in content
        assert "header_up X-Forwarded-For {http.request.header.Fly-Client-IP}" in content
        assert content.count("{") == content.count("}")


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "try.example.org",
        "ftp://try.example.org",
        "https://try.example.org/path",
        "https://try.example.org {\n\trespond hello\n}",
        "https://user:word@try.example.org",
        "https://{env.HOME}",
        "https://a b",
    ],
)
def test_an_origin_that_is_more_than_an_address_is_refused(origin: str) -> None:
    """What stands in a configuration cannot become a directive of it."""
    with pytest.raises(PipelineError, match="origin_url is no address") as raised:
        caddyfile(origin)
    assert raised.value.reason == errors_pb2.ERROR_REASON_INVALID_FIELD


def test_an_origin_may_have_a_port() -> None:
    """Scheme, host and port, nothing else."""
    assert "reverse_proxy http://try.example.org:8081 {" in caddyfile("http://try.example.org:8081/")


@pytest.mark.parametrize(
    "origin", ["http://127.0.0.1:8081", "http://localhost:8081", "http://10.0.0.7", f"https://{FRONT}.fly.dev"]
)
async def test_a_front_that_would_lead_nowhere_is_refused_before_anything_is_made(origin: str) -> None:
    """An origin that Fly.io cannot reach, or that is the front itself."""
    async with FlyReplay() as replay, fly(replay) as platform:
        with pytest.raises(PipelineError, match=r"origin_url is .*PIPELINE_PAGE_URL"):
            await made(platform, launched(origin_url=origin))
        assert not replay.asked


@pytest.mark.parametrize("campaign", ["01JD9Q3K", "a_b", "a" * 200, "é", "x-"])
def test_any_id_makes_a_name_that_a_host_may_have(campaign: str) -> None:
    """And two ids never the same one."""
    name = app_name(launched(campaign_id=campaign))
    assert re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,60}[a-z0-9])?", name)
    assert name != app_name(launched(campaign_id=campaign + "z"))


async def test_a_name_that_is_somebody_else_s_is_told_and_nothing_is_made() -> None:
    """Names are shared by all customers: whoever has it first has it."""
    async with FlyReplay() as replay, fly(replay) as platform:
        replay.take_name(FRONT)
        launch = launched()
        with pytest.raises(PipelineError):
            await platform.perform(launch, platform.steps(launch)[0], Done())
        assert not replay.made


async def test_an_app_that_came_through_meanwhile_is_taken_for_the_effect() -> None:
    """422 `name_taken` on an app of our own, 409 `already_exists` on a machine of our own."""
    launch = launched()
    async with FlyReplay() as replay, fly(replay) as platform:
        done = await made(platform, launch)
        for step in platform.steps(launch):
            if step.key in (APP, MACHINE):
                again = await platform.perform(launch, step, done)
                assert (again.external_id, again.found) == (done[step.key], True)
        assert (replay.made["apps"], replay.made["machines"]) == (1, 1)


async def test_each_step_is_found_and_nothing_before_it_was_made() -> None:
    """Looking changes nothing, and an app that is not there has nothing in it."""
    launch = launched()
    async with FlyReplay() as replay, fly(replay) as platform:
        for step in platform.steps(launch):
            assert await platform.find(launch, step, Done()) is None

        done = await made(platform, launch)
        for step in platform.steps(launch):
            found = await platform.find(launch, step, done)
            assert found is not None
            assert (found.external_id, found.found) == (done[step.key], True)
        assert sum(replay.made.values()) == 4


async def test_switching_waits_for_the_state_and_repeats_without_harm() -> None:
    """Started, started, stopped, stopped: the machine is told twice in all, and its lease is given back."""
    launch = launched()
    async with FlyReplay() as replay, fly(replay) as platform:
        done = await made(platform, launch)
        for on, state in ((True, "started"), (True, "started"), (False, "stopped"), (False, "stopped")):
            await platform.switch(launch, done, on=on)
            assert replay.machines(FRONT)[0]["state"] == state
            assert replay.machines(FRONT)[0]["nonce"] == ""

        assert (replay.made["start"], replay.made["stop"]) == (1, 1)
        assert [a.query["state"] for a in replay.asked if a.path.endswith("/wait")] == ["started", "stopped"]


async def test_a_machine_that_somebody_else_holds_is_left_alone() -> None:
    """The lease is theirs: the switch fails with the reason, and the machine stays as it is."""
    launch = launched()
    async with FlyReplay() as replay, fly(replay) as platform:
        done = await made(platform, launch)
        replay.machines(FRONT)[0]["nonce"] = "theirs"
        with pytest.raises(PipelineError) as raised:
            await platform.switch(launch, done, on=True)

        assert raised.value.metadata["code"] == "lease_held"
        assert replay.machines(FRONT)[0]["state"] == "created"


async def test_a_lease_is_given_back_when_the_switch_fails() -> None:
    """Else the next try would have to wait for its end."""
    launch = launched()
    async with FlyReplay() as replay, fly(replay) as platform:
        done = await made(platform, launch)
        replay.fail("503")
        with pytest.raises(PipelineError, match="503"):
            await platform.switch(launch, done, on=True)
        assert replay.machines(FRONT)[0]["nonce"] == ""


async def test_taking_the_app_back_takes_all_and_twice_is_once() -> None:
    """A running machine is no hindrance; what is gone counts as taken back."""
    launch = launched()
    async with FlyReplay() as replay, fly(replay) as platform:
        done = await made(platform, launch)
        await platform.switch(launch, done, on=True)
        for _ in range(2):
            for step in reversed(platform.steps(launch)):
                await platform.undo(launch, step, done[step.key])
        assert not replay.apps


async def test_the_machine_costs_nothing_that_could_be_read() -> None:
    """The API tells no cost: none is made up."""
    launch = launched()
    async with FlyReplay() as replay, fly(replay) as platform:
        assert platform.spends is False
        assert await platform.spent_micros(launch, await made(platform, launch)) == 0


async def test_too_many_calls_are_a_rate_limit_of_a_second() -> None:
    """One call a second and action is what the API allows."""
    launch = launched()
    async with FlyReplay() as replay, fly(replay) as platform:
        replay.fail("429")
        with pytest.raises(PipelineError) as raised:
            await platform.perform(launch, platform.steps(launch)[0], Done())
        assert raised.value.reason == errors_pb2.ERROR_REASON_UPSTREAM_RATE_LIMITED
        assert raised.value.retry_after == 1.0


async def test_requests_that_are_shown_are_those_that_are_sent_secrets_aside() -> None:
    """Nothing leaves for showing them."""
    async with FlyReplay() as replay, fly(replay, region="fra") as platform:
        shown = planned(platform, launched())
        assert not replay.asked

        await made(platform, launched())
        sent = [asked for asked in replay.asked if asked.method == "POST"]
        assert [f"{replay.url}{asked.path}" for asked in sent] == [r.url for r in shown]
        assert [asked.json() for asked in sent] == [body_of(r) for r in shown]
        assert all(r.headers["Authorization"] == "Bearer ***" and TOKEN not in str(r) for r in shown)
        assert replay.machines(FRONT)[0]["region"] == "fra"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"token": SecretStr("")}, "PIPELINE_FLY_TOKEN"),
        ({"organisation": "My Org"}, "ORGANISATION"),
        ({"region": "frankfurt"}, "REGION"),
        ({"image": "caddy; rm"}, "IMAGE"),
    ],
)
def test_what_is_missing_is_named(changes: dict[str, Any], said: str) -> None:
    """The reason is one sentence that begins with the setting."""
    given: dict[str, Any] = {"token": SecretStr("t")}
    assert FlyAccess(**given).lacks() == ""
    assert said in FlyAccess(**{**given, **changes}).lacks()


def test_an_access_shows_no_secret() -> None:
    """Its repr can be logged."""
    assert TOKEN not in repr(FlyAccess(token=SecretStr(TOKEN)))
    assert json.dumps(TOKEN) not in repr(FlyAccess(token=SecretStr(TOKEN)))
