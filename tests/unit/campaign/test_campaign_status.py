"""The life of a campaign as a table."""

from __future__ import annotations

import pytest

from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2
from services.campaign.domain.names import campaign_id, page_slug, run_id
from services.campaign.domain.status import COMPLETED, DRAFT, FAILED, PAUSED, RUNNING, Step, after

ALLOWED = {
    (Step.PUBLISH, DRAFT): RUNNING,
    (Step.PUBLISH, RUNNING): RUNNING,
    (Step.PUBLISH, FAILED): RUNNING,
    (Step.FAIL, RUNNING): FAILED,
    (Step.FAIL, FAILED): FAILED,
    (Step.PAUSE, RUNNING): PAUSED,
    (Step.PAUSE, PAUSED): PAUSED,
    (Step.RESUME, PAUSED): RUNNING,
    (Step.RESUME, RUNNING): RUNNING,
    (Step.COMPLETE, RUNNING): COMPLETED,
    (Step.COMPLETE, PAUSED): COMPLETED,
    (Step.COMPLETE, FAILED): COMPLETED,
    (Step.COMPLETE, COMPLETED): COMPLETED,
    (Step.READ, RUNNING): RUNNING,
    (Step.READ, PAUSED): PAUSED,
    (Step.READ, FAILED): FAILED,
    (Step.READ, COMPLETED): COMPLETED,
}


@pytest.mark.parametrize("step", Step)
@pytest.mark.parametrize("status", [DRAFT, RUNNING, PAUSED, COMPLETED, FAILED])
def test_a_step_leads_where_it_may_and_is_refused_elsewhere(step: Step, status: int) -> None:
    """Each refusal is CAMPAIGN_STATE with campaign, status and step, and names the mend."""
    if (step, status) in ALLOWED:
        assert after(step, status, "runs/x/campaign") == ALLOWED[step, status]
        return
    with pytest.raises(PipelineError) as caught:
        after(step, status, "runs/x/campaign")
    error = caught.value
    assert error.reason == errors_pb2.ERROR_REASON_CAMPAIGN_STATE
    assert error.metadata["campaign"] == "runs/x/campaign"
    assert error.metadata["step"] == step.value
    assert ";" in error.message, "the mend follows the reason"


def test_names_are_taken_apart_or_not_at_all() -> None:
    """Only `runs/{run}/campaign` names a campaign."""
    assert campaign_id("runs/01j9/campaign") == "01j9"
    assert run_id("runs/01j9") == "01j9"
    for wrong in ("", "runs/01j9", "runs//campaign", "runs/01j9/campaign/x", "runs/../campaign", "runs/A B/campaign"):
        assert campaign_id(wrong) is None, wrong


def test_a_slug_is_readable_stable_and_its_own() -> None:
    """Two products of one name get two addresses; a name without Latin letters still gets one."""
    assert page_slug("Crème Brûlée & Co", "01j9").startswith("creme-brulee-co-")
    assert page_slug("Larderwise", "01j9") == page_slug("Larderwise", "01j9")
    assert page_slug("Larderwise", "01j9") != page_slug("Larderwise", "01ja")
    assert page_slug("食品", "01j9").startswith("idea-")
    assert len(page_slug("x" * 500, "01j9")) <= 49
