"""The stance model as it ships."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib import resources

from services.evidence.domain.stance_model import StanceModels


@lru_cache(maxsize=1)
def stance_models() -> StanceModels:
    """Read data/stance_model.json (about 1 ms, once)."""
    path = resources.files("services.evidence").joinpath("data", "stance_model.json")
    return StanceModels.of(json.loads(path.read_text(encoding="utf-8")))
