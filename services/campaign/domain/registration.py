"""The plan as it is registered: one text, and its digest, written down before the first visitor arrives."""

from __future__ import annotations

import hashlib
import json

from pipeline.v1.campaign_pb2 import TestPlan
from services.campaign.domain.exports import plain


def registered_plan(plan: TestPlan) -> str:
    """The plan as JSON in one form only: contract field names, sorted, two spaces, numbers as numbers.

    An export's plan.json is this text, so that `sha256sum plan.json` prints what was registered.
    """
    return json.dumps(plain(plan), ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def plan_digest(plan: TestPlan) -> str:
    """Hex sha256 of `registered_plan`, UTF-8."""
    return hashlib.sha256(registered_plan(plan).encode()).hexdigest()
