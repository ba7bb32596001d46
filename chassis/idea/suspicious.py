"""Passages that try to instruct whoever reads the idea; they are found and shown, and stay data."""

from __future__ import annotations

import re

_PASSAGES_MAX = 5
_PASSAGE_CHARS_MAX = 160

_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(?:ignore|disregard|forget|override|bypass|skip)\b[^.!?\n]{0,40}\b(?:previous|prior|above|earlier|"
        r"all|any|your|the|my|"
        r"preceding|foregoing|system)\b[^.!?\n]{0,40}\b(?:instructions?|prompts?|rules?|guidelines?|context|"
        r"directions?|tasks?|"
        r"orders?|constraints?|commands?|said|told|assignments?)\b",
        r"\b(?:reveal|print|show|repeat|output|leak|display|tell me)\b[^.!?\n]{0,30}\b(?:system prompt|hidden "
        r"prompt|initial "
        r"prompt|your (?:prompt|instructions|rules|configuration)|api keys?|passwords?|environment variables?)\b",
        r"\b(?:you are|you're) now\b[^.!?\n]{0,60}",
        r"\b(?:act|behave|respond|answer|pretend|roleplay)\b (?:as|like|to be)\b (?:if you|a |an |the "
        r")?[^.!?\n]{0,30}\b(?:jailbroken|"
        r"unrestricted|dan|developer mode|evil|admin|root|system|no (?:rules|restrictions|limits))\b",
        r"\b(?:do anything now|developer mode|jailbreak mode|god mode|sudo mode)\b",
        r"(?:^|[.!?:,;]\s*|\b(?:please|now|then|and)\s+)(?:forget|ignore|disregard|vergiss|ignoriere?)\b[^.!?\n]{0,25}"
        r"\b(?:everything|all|above|before|prior|previous|alles|davor|vorher\w*|bisher\w*)\b[^.!?\n]{0,40}",
        r"\b(?:i want you to|i need you to|you (?:will|must|should) (?:now )?(?:act|answer|respond|ignore|"
        r"forget|say|write))\b[^.!?\n]{0,60}",
        r"\bnow (?:you are|answer the following|write me|new instructions)\b[^.!?\n]{0,60}",
        r"\b(?:new|next|further) (?:tasks?|instructions?|challenges?|assignments?) (?:follow|are followed|for "
        r"you|come)\w*",
        r"\banswer (?:me )?the following question\b|\bpretend (?:that )?(?:you are|you're|to be)\b[^.!?\n]{0,40}",
        r"\b(?:leave|remove|delete|erase|drop) all (?:the |of the )?(?:previous|prior|earlier)\b[^.!?\n]{0,40}",
        r"(?:^|\s)(?:system|assistant|user|developer)\s*:\s*[^\n]{3,80}",
        r"<\|?/?(?:im_start|im_end|system|assistant|user|endoftext|instructions?)\|?>",
        r"\[/?(?:INST|SYS|SYSTEM)\]|<<SYS>>|#{2,}\s*(?:system|instruction|new task|prompt)",
        r"\b(?:always|you must|please|only|just)\b[^.!?\n]{0,20}\b(?:give|rate|score|return|answer|output|say|"
        r"approve|set)\b"
        r"[^.!?\n]{0,30}\b(?:5/5|10/10|highest|perfect|maximum|top score|score of|verdict|recommendation|GO)\b",
        r"\b(?:set|change|raise|increase|remove|spend)\b[^.!?\n]{0,15}\b(?:the |your |run'?s? )?(?:budget|"
        r"spending cap|allowance|tool "
        r"permissions?)\b[^.!?\n]{0,15}\b(?:to|by|unlimited|all)\b",
        r"\b(?:new|updated|real|following) (?:instructions?|system prompt|task)\s*(?:are|is|:)",
        r"\b(?:vergiss|ignoriere|missachte|oublie|ignorez?|olvida|ignora)\b[^.!?\n]{0,40}\b(?:anweisungen|"
        r"aufgaben|befehle|"
        r"instructions?|instrucciones|reglas|alle|tout|todo|davor|vorherigen)\b",
        r"(?:<script\b|javascript:|\{\{.{0,40}\}\}|\$\{jndi:|\bdrop table\b|';\s*--|\bunion select\b)[^\n]{0,60}",
    )
)


def find(text: str, limit: int = _PASSAGES_MAX) -> tuple[str, ...]:
    """Up to `limit` passages of at most 160 characters, in the order of the text."""
    spans: list[tuple[int, int]] = []
    for pattern in _PATTERNS:
        for match in pattern.finditer(text):
            spans.append((match.start(), match.end()))
    spans.sort()
    passages: list[str] = []
    end = -1
    for start, stop in spans:
        if start < end:
            continue
        end = stop
        # The full stop of the sentence before is no part of the order.
        passages.append(text[start:stop].strip().lstrip(".!?:,; ")[:_PASSAGE_CHARS_MAX])
    return tuple(passages[:limit])
