"""The life of a campaign: which step may be taken in which status, and what it leads to. Pure.

    DRAFT --publish--> RUNNING <--resume-- PAUSED        publish, pause and resume may be repeated: the second time
                         |  `----pause----> |             changes nothing.
                         |                  |
                         +---complete-------+--> COMPLETED (for good)
    RUNNING, FAILED --fail--> FAILED --publish--> RUNNING; FAILED --complete--> COMPLETED

FAILED: setting the platforms up stopped half-way. No ad runs; publishing again goes on where it stopped.
"""

from __future__ import annotations

from enum import StrEnum

from pipeline.errors import PipelineError
from pipeline.v1 import campaign_pb2, errors_pb2
from pipeline.v1.campaign_pb2 import CampaignStatus

DRAFT = campaign_pb2.CAMPAIGN_STATUS_DRAFT
RUNNING = campaign_pb2.CAMPAIGN_STATUS_RUNNING
PAUSED = campaign_pb2.CAMPAIGN_STATUS_PAUSED
COMPLETED = campaign_pb2.CAMPAIGN_STATUS_COMPLETED
FAILED = campaign_pb2.CAMPAIGN_STATUS_FAILED


class Step(StrEnum):
    """What is asked of a campaign."""

    PUBLISH = "publish"
    FAIL = "fail"
    PAUSE = "pause"
    RESUME = "resume"
    COMPLETE = "complete"
    READ = "read"


_NEXT: dict[Step, dict[CampaignStatus.ValueType, CampaignStatus.ValueType]] = {
    Step.PUBLISH: {DRAFT: RUNNING, RUNNING: RUNNING, FAILED: RUNNING},
    Step.FAIL: {RUNNING: FAILED, FAILED: FAILED},
    Step.PAUSE: {RUNNING: PAUSED, PAUSED: PAUSED},
    Step.RESUME: {PAUSED: RUNNING, RUNNING: RUNNING},
    Step.COMPLETE: {RUNNING: COMPLETED, PAUSED: COMPLETED, FAILED: COMPLETED, COMPLETED: COMPLETED},
    Step.READ: {RUNNING: RUNNING, PAUSED: PAUSED, FAILED: FAILED, COMPLETED: COMPLETED},
}

_MENDS: dict[CampaignStatus.ValueType, str] = {
    DRAFT: "it is a draft; publish it first",
    RUNNING: "it is running; pause or complete it",
    PAUSED: "it is paused; resume or complete it",
    COMPLETED: "it has completed for good; run the idea again for another test",
    FAILED: "its set-up failed; publish it again to go on, or complete it",
}


def status_name(status: CampaignStatus.ValueType) -> str:
    """RUNNING -> "RUNNING"; what this build does not know keeps its number."""
    try:
        return CampaignStatus.Name(status).removeprefix("CAMPAIGN_STATUS_")
    except ValueError:
        return str(status)


def after(step: Step, status: CampaignStatus.ValueType, campaign: str) -> CampaignStatus.ValueType:
    """The status that `step` leads to. Raises CAMPAIGN_STATE with the mend where it is not allowed.

    `campaign` is the resource name, for the error.
    """
    following = _NEXT[step].get(status)
    if following is None:
        mend = _MENDS.get(status, "its status is unknown to this server")
        raise state_error(campaign, status, step, f"The campaign cannot be {_DONE[step]}: {mend}.")
    return following


_DONE: dict[Step, str] = {
    Step.PUBLISH: "published",
    Step.FAIL: "failed",
    Step.PAUSE: "paused",
    Step.RESUME: "resumed",
    Step.COMPLETE: "completed",
    Step.READ: "read",
}


def allowed_from(step: Step) -> tuple[CampaignStatus.ValueType, ...]:
    """The statuses in which a step may be taken."""
    return tuple(_NEXT[step])


def state_error(campaign: str, status: CampaignStatus.ValueType, step: str, message: str) -> PipelineError:
    """CAMPAIGN_STATE; `message` says why and names the mend."""
    return PipelineError(
        errors_pb2.ERROR_REASON_CAMPAIGN_STATE,
        message,
        metadata={"campaign": campaign, "status": status_name(status), "step": str(step)},
    )
