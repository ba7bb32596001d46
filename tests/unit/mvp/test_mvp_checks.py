"""Projects are really run; what fails is delivered as failed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chassis.telemetry import SPAN_SANDBOX
from chassis.testing import recording_telemetry
from pipeline.v1 import common_pb2, mvp_pb2
from services.mvp import checks
from services.mvp.domain.render import render
from services.mvp.domain.spec import make_plan
from services.mvp.sandbox import Limits, Sandbox
from services.mvp.testing import IDEAS, profile

PASSED, FAILED, SKIPPED = mvp_pb2.CHECK_STATUS_PASSED, mvp_pb2.CHECK_STATUS_FAILED, mvp_pb2.CHECK_STATUS_SKIPPED
Change = Callable[[dict[str, bytes]], object]


async def verify(
    kind: str, mvp_type: common_pb2.MvpType.ValueType, change: Change = lambda files: None
) -> checks.Verified:
    """Builds one of the sample ideas, after `change` to its files."""
    plan = make_plan(profile(kind), (), mvp_type)
    files = render(plan)
    change(files)
    seen: list[str] = []

    async def report(check: mvp_pb2.MvpCheck) -> None:
        seen.append(check.name)

    telemetry = recording_telemetry()
    found = await checks.verify(files, plan, Sandbox(), telemetry, Limits(wall_seconds=60), report)
    assert seen == [check.name for check in found.checks]
    names = [span.name for span in telemetry.spans()]
    assert names.count(checks.SPAN_CHECK) == len(seen)
    assert names.count(SPAN_SANDBOX) >= 1
    return found


def by_name(found: checks.Verified) -> dict[str, mvp_pb2.MvpCheck]:
    """Checks by their names."""
    return {check.name: check for check in found.checks}


@pytest.mark.parametrize("kind", IDEAS)
async def test_every_kind_of_project_boots_and_passes_its_tests(kind: str) -> None:
    """Each behaviour's pages, API and acceptance tests work when they are really run."""
    found = await verify(kind, common_pb2.MVP_TYPE_WEB_APP)
    assert found.passed, found.log_tail
    named = by_name(found)
    assert {"compiles", "imports", "lint", "boots", "health", "pages", "stops", "tests"} <= set(named)
    assert named["tests"].measures["tests_passed"] >= 15
    acceptance = [check for name, check in named.items() if name.startswith("acceptance:")]
    assert acceptance
    assert all(check.measures["criteria"] == check.measures["criteria_met"] > 0 for check in acceptance)
    assert named["boots"].duration.ToTimedelta().total_seconds() > 0


@pytest.mark.parametrize("mvp_type", [common_pb2.MVP_TYPE_LANDING_PAGE, common_pb2.MVP_TYPE_API_SERVICE])
async def test_the_other_forms_pass_too(mvp_type: common_pb2.MvpType.ValueType) -> None:
    """A static page and a plain API are booted and tested as well."""
    found = await verify("appointments", mvp_type)
    assert found.passed, found.log_tail


def break_rule(files: dict[str, bytes]) -> None:
    """The rule is wrong: it forgets the order."""
    rule = files["app/rules/expiry.py"]
    files["app/rules/expiry.py"] = rule.replace(b"key=lambda one: one.days_left", b"key=lambda one: -one.days_left")


async def test_a_wrong_rule_fails_its_feature() -> None:
    """A broken behaviour fails the tests and exactly the features that rest on it."""
    found = await verify("expiry", common_pb2.MVP_TYPE_API_SERVICE, break_rule)
    named = by_name(found)
    assert not found.passed
    assert named["tests"].status == FAILED
    assert named["acceptance:track-expiry-dates"].status == FAILED
    assert "test_lists_what_expires_soonest_first" in named["acceptance:track-expiry-dates"].detail
    assert named["acceptance:keep-records"].status == PASSED
    assert "AssertionError" in found.log_tail


async def test_a_syntax_error_skips_what_cannot_run() -> None:
    """What does not compile is not booted: those checks say that they were not run."""
    found = await verify("search", common_pb2.MVP_TYPE_API_SERVICE, lambda f: f.update({"app/store.py": b"def (:\n"}))
    named = by_name(found)
    assert not found.passed
    assert named["compiles"].status == FAILED
    assert named["boots"].status == named["tests"].status == SKIPPED
    assert "not run" in named["tests"].detail


async def test_a_project_that_does_not_boot_fails() -> None:
    """An application that ends at its start is FAILED with its exit code and its traceback in the log."""
    broken = b"raise SystemExit('no such luck')\n"
    found = await verify("search", common_pb2.MVP_TYPE_API_SERVICE, lambda f: f.update({"app/__main__.py": broken}))
    named = by_name(found)
    assert not found.passed
    assert named["boots"].status == FAILED
    assert "ended with code 1" in named["boots"].detail
    assert named["pages"].status == SKIPPED
    assert "no such luck" in found.log_tail


async def test_a_missing_acceptance_test_is_not_a_met_criterion() -> None:
    """A criterion whose test did not run is unmet, although all tests that did run passed."""
    found = await verify("search", common_pb2.MVP_TYPE_API_SERVICE, lambda f: f.pop("tests/test_search.py"))
    named = by_name(found)
    assert named["tests"].status == PASSED
    assert named["acceptance:search-archives"].status == FAILED
    assert not found.passed


async def test_an_undeclared_import_is_found() -> None:
    """Something that happens to be installed here but is not declared fails the project."""
    extra = b"\nimport aiohttp  # noqa: E402,F401,I001\n"
    found = await verify(
        "search", common_pb2.MVP_TYPE_API_SERVICE, lambda f: f.update({"app/seed.py": f["app/seed.py"] + extra})
    )
    assert by_name(found)["imports"].status == FAILED
    assert not found.passed
    assert "aiohttp is not declared" in found.log_tail
