"""Which part of an idea may be scored when passages of it try to instruct its reader.

An instruction changes nothing here, since no part of the scoring obeys text; but the words that come with it could
still move a score. So the idea is scored as if it ended before the first such passage. Where the passage stands at the
beginning, its sentence is left out; where nothing else is there (a tool that fights "ignore previous instructions"),
the idea is scored as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from chassis.idea.reading import read_idea
from chassis.idea.text import normalise
from pipeline.errors import PipelineError

_SENTENCE_END = re.compile(r"[.!?\n]+[\"'”’)]*\s+")


def scored_text(text: str, suspicious: Sequence[str]) -> str:
    """The part of a normalised idea that is scored; the whole where nothing in it addresses its reader."""
    # A passage that brings the full stop before it would belong to the honest sentence.
    orders = [passage.lstrip(".!?:,; ") for passage in suspicious]
    places = [place for order in orders if order and (place := text.find(order)) >= 0]
    if not places:
        return text
    first = min(places)
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    begin = max((end for end in ends if end <= first), default=0)
    after = min((end for end in ends if end > first), default=len(text))
    return _usable(text[:begin]) or _usable(text[after:]) or text


def _usable(part: str) -> str:
    """The part where it says on its own what is built or what hurts, else an empty string."""
    try:
        part = normalise(part)
    except PipelineError:
        return ""
    profile = read_idea(part).profile
    return part if profile.solution or profile.problem else ""
