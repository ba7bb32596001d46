"""What introduces an idea without saying anything: "We are building", "My idea is", "PantryPal is"."""

from __future__ import annotations

import re

_LEAD_IN = re.compile(
    r"""^(?:(?:hi|hello|hey|so|well|ok(?:ay)?|basically)[,!.\s]+)*
    (?:
      (?:we|i|our\s+(?:team|startup|company))(?:\s+are|\s+am|'re|'m|’re|’m|\s+have|'d|\s+would)?\s*
      (?:(?:want(?:ing)?|plan(?:ning)?|like|going|hop(?:e|ing)|intend(?:ing)?|think(?:ing)?)\s+(?:to|of|about)\s+)?
      (?:build(?:ing)?|creat(?:e|ing)|develop(?:ing)?|mak(?:e|ing)|launch(?:ing)?|offer(?:ing)?|design(?:ing)?
        |start(?:ing)?|work(?:ing)?\s+on|sell(?:ing)?|provid(?:e|ing)|(?:had|have)\s+an\s+idea\s+for|an\s+idea\s+for)\s+
      (?!(?:them|it|these|those)\s)
    | (?:my|our|the|this|a|an)?\s*(?:startup\s+|business\s+|product\s+|app\s+)?
      (?:idea|concept|product|pitch|proposal)\s*
      (?:is\s+that|is|:|would\s+be|-|–|—|for)\s*(?:to\s+(?:build|create|make|develop|offer|launch)\s+)?(?:for\s+)?
    | (?:i|we)\s+(?:want|wish|would\s+like|dream)\s+that\s+
    | (?:could|can|should)\s+we\s+(?=\w+\s)
    | (?:what\s+if|how\s+about|why\s+not)\s+(?=\w+ing\s|an?\s)
    | (?:it's|it\s+is|this\s+is|there\s+(?:is|should\s+be)|what\s+if\s+there\s+(?:was|were)|imagine|introducing
        |presenting|(?:build|create|develop|make)(?:\s+(?:me|us))?|think\s+of)\s+(?=(?:a|an|the|our)\b)
    )""",
    re.IGNORECASE | re.VERBOSE,
)
# "Our app shows ...": what the app does follows; "It" keeps the sentence whole.
_OUR_PRODUCT = re.compile(
    r"^(?:our|my|the|this)\s+(?:new\s+)?(?:mobile\s+|web\s+)?(?:app|application|platform|tool|software|service|"
    r"startup|company|product|"
    r"website|solution|system|marketplace|team)\s+(?=(?:\w+ly\s+)?(?:\w+s|will|can|would)\b)",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"^(?P<name>[A-Z][\w.'’-]*(?:\s[A-Z][\w.'’-]*){0,2})\s*(?:,\s*(?=an?\b)|:\s+|\s[–—-]\s+|\s(?:is|will\s+be|"
    r"would\s+be)\s+(?=an?\b|the\b|like\b)"
    r"|\s(?=helps?\s|lets\s|connects\s|enables\s|allows\s))"
)
_NOT_A_NAME = frozenset(
    "it this that there he she they we i our my the a an idea problem solution what imagine startup people app "
    "platform "
    "tool software service help helps audience target market customers users name uber airbnb tinder".split()
)


def strip_lead_in(sentence: str) -> tuple[str, str]:
    """(sentence without what only introduces it, the product's name where the sentence gives one)."""
    name = ""
    match = _NAMED.match(sentence)
    if match:
        parts = match.group("name").lower().split()
        if parts[0] not in _NOT_A_NAME and parts[-1] not in _NOT_A_NAME and len(match.group("name")) > 2:
            name = match.group("name")
            sentence = sentence[match.end() :]
    if _OUR_PRODUCT.match(sentence):
        return _OUR_PRODUCT.sub("It ", sentence, count=1).strip(), name
    stripped = _LEAD_IN.sub("", sentence, count=1)
    return (stripped or sentence).strip(), name
