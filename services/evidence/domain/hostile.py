"""What a page tries on its reader: invisible characters, and text that gives orders to a machine.

Everything found stays data. It is flagged, counts less (`penalty`), and its characters that nobody sees are gone
before anything is hashed, quoted or shown.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import replace

from chassis.idea import suspicious
from pipeline.v1 import common_pb2
from services.evidence.domain.model import Found, SourceFlag

# What is looked through for orders; the text kept of a page is shorter.
SCANNED_CHARS_MAX = 250_000
_PASSAGES_MAX = 5
_PASSAGE_CHARS_MAX = 160

# A source's composite score is multiplied by these. Orders to the reader say that somebody wants to steer the verdict:
# such a source needs twice the merit. Hidden text and invisible characters have honest uses (menus, line breaks).
_FACTORS: dict[SourceFlag, float] = {
    common_pb2.SOURCE_FLAG_INSTRUCTIONS: 0.5,
    common_pb2.SOURCE_FLAG_HIDDEN_TEXT: 0.85,
    common_pb2.SOURCE_FLAG_INVISIBLE_CHARACTERS: 0.85,
}

# ------------------------------------------------------------------------------------ invisible characters

_KEPT_CONTROLS = frozenset("\n\t")
# Marks and letters by category, and invisible all the same: fillers, joiners, variation selectors.
_INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})

# Honest uses are removed without a flag: byte order marks, soft hyphens, directional marks, emoji (joiners, variation
# selectors, the tags of regional flags), joiners in scripts that need them, the spaces of scripts without spaces.
_HONEST = re.compile(
    "^\ufeff|\u00ad|[\u200e\u200f\u061c]|\ufe0e|\ufe0f"
    "|\U0001f3f4[\U000e0061-\U000e007a]{2,6}\U000e007f"
    "|(?<=[\u2190-\u2bff\ufe0f\U0001f000-\U0001faff])\u200d(?=[\u2190-\u2bff\U0001f000-\U0001faff])"
    "|(?<=[\u0590-\u08ff\u0900-\u0dff\ufb50-\ufeff])[\u200c\u200d]"
    "|(?<=[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff])\u200b"
    "|(?<=[\u180b-\u18ff])[\u180b-\u180e]"
)
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
# Embeddings and isolates that a text with right-to-left words needs.
_DIRECTIONS = re.compile("[\u202a-\u202c\u2066-\u2069]")
_SNEAKY = re.compile(
    "[\u200b-\u200d\u202a-\u202e\u2060-\u206f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u034f\ufeff\ufff9-\ufffb"
    "\ufe00-\ufe0d\U000e0000-\U000e0fff]"
)


def clean(text: str) -> tuple[str, bool]:
    """The text as every quote of it counts, and whether characters were in it that nobody sees.

    NFC (NFKC would turn 10² into 102), no invisible or control characters, any run of spaces one space, no space at
    the ends of a line, at most one empty line. Idempotent. Offsets of quotes and the content hash are in this text.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n\n")
    flagged = False
    if not text.isascii():
        flagged = has_invisible(text)
    text = unicodedata.normalize("NFC", without_invisible(text))
    lines = [" ".join(line.split()) for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n"), flagged


def without_invisible(text: str) -> str:
    """The text without control characters (but for line breaks and tabs) and without whatever has no shape."""
    if not text.isascii():
        text = _INVISIBLE.sub("", text)
    return "".join(c for c in text if c in _KEPT_CONTROLS or unicodedata.category(c) not in _CATEGORIES)


def has_invisible(text: str) -> bool:
    """Whether the text holds invisible characters that honest writing has no use for.

    >>> has_invisible("free\u200bze"), has_invisible("soft\u00adhyphen"), has_invisible("a\U000e0041\U000e0042")
    (True, False, True)
    """
    rest = _HONEST.sub("", text)
    if _RIGHT_TO_LEFT.search(rest):
        rest = _DIRECTIONS.sub("", rest)
    return _SNEAKY.search(rest) is not None


# ------------------------------------------------------------------------------------- orders to the reader

_MACHINE = (
    r"(?:a\.?i\.?s?|artificial intelligences?|llms?|(?:large )?language models?|chat ?(?:bots?|gpt)|gpt-?\d?|claude|"
    r"gemini|copilot|(?:ai|virtual|digital) (?:assistants?|agents?|crawlers?|models?|systems?)|summari[sz]ers?)"
)
_READS = (
    r"(?:reading|read|processing|parsing|summari[sz]ing|crawling|scraping|evaluating|analy[sz]ing|viewing|indexing)"
)
_ALL_BEFORE = (
    r"(?:instructions?|instruktionen|instrukcij\w*|instrucciones|anweisungen|aufgaben|prompts?|rules|guidelines|"
    r"commands?|directives?|thoughts|"
    r"what (?:i|was|you were) (?:said|told|asked)|been told|angaben|ausführungen|informationen|gesagte)"
)
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # Addressed to a machine.
        r"\b(?:attention|note|notice|message|instructions?|hint|dear|hello|hey)\b[ ,:;!-]{0,3}(?:to|for)?[ ,:]{0,2}"
        rf"(?:all |any |the )?{_MACHINE}\b[^.!?\n]{{0,20}}(?:[:,;!-]|{_READS})[^.!?\n]{{0,60}}",
        rf"\bif you(?:'re| are)? (?:an? |the )?{_MACHINE}\b[^.!?\n]{{0,60}}",
        rf"\b(?:as|you are|you're) an? {_MACHINE}\b[^.!?\n]{{0,30}}\b(?:you (?:must|should|will|have to|need to)|"
        r"answer|write|ignore|free)\b[^.!?\n]{0,40}",
        rf"\b{_MACHINE}\b[^.!?\n]{{0,25}}\b{_READS} this\b[^.!?\n]{{0,60}}\b(?:must|should|please|ignore|report|rate|"
        r"rank|recommend|say|treat)\b[^.!?\n]{0,40}",
        # What was said before does not count.
        r"\b(?:ignor\w*|disregard\w*|forget|abandon|drop|discard|overlook|override|igmre)\b[^.!?\n]{0,12}"
        r"\b(?:previous|prior|above|earlier|preceding|foregoing|your|my|these|all(?: of)?(?: the| your| these| my)?)\b"
        rf"[^.!?\n]{{0,20}}\b{_ALL_BEFORE}\b[^.!?\n]{{0,40}}",
        r"\b(?:vergiss|vergessen sie|ignorieren sie|missachte\w*|oublie[zr]?|olvid[ae]\w*|zaboravi\w*|dimentica\w*|"
        rf"vergeet|negeer|zapomnij|zignoruj)\b[^.!?\n]{{0,30}}\b{_ALL_BEFORE}\b[^.!?\n]{{0,40}}",
        r"\b(?:ignor\w*|disregard|forget|igmre) (?:everything(?: and\b| before| above|[:,.!])|"
        r"everything (?:i|you)\b[^.!?\n]{0,15}\b(?:said|told)|what i said|all (?:of )?(?:this|that)\b)[^.!?\n]{0,40}",
        r"\b(?:olvid[ae]\w*|oublie[zr]?|vergiss|vergessen sie|zaboravi\w*) (?:todo|tout|alles|sve)\b[^.!?\n]{0,40}",
        r"\b(?:obigen?|das obige|vorherigen?|bisherigen?|vorangegangenen?|zuvor gesagte)\b[^.!?\n]{0,40}"
        r"\b(?:ignorieren|ignoriere|vergessen|streichen|hinter sich|irrelevant|sondern schreibe)\b[^.!?\n]{0,40}",
        r"\babweichend (?:zu|von) (?:den )?(?:vorherigen|bisherigen) \w+[^.!?\n]{0,40}",
        r"\bзабудь(?:те)? все\b[^.!?\n]{0,40}|\bигнорируй(?:те)?\b[^.!?\n]{0,40}\b(?:инструкци\w*|указани\w*)",
        r"忽略[^。！？\n]{0,12}(?:指令|提示|指示)|(?:指示|命令)を無視",
        # New orders.
        r"\b(?:change|replace|update) (?:your|all|the) (?:instructions|rules|task)\b[^.!?\n]{0,40}",
        r"\byour (?:new |real |actual |only )?(?:instructions|task|job|goal|role) (?:is|are) now\b[^.!?\n]{0,60}",
        r"\badditional instructions?\b ?[-:][^.!?\n]{0,60}",
        r"\b(?:folgen|kommen|erhalten sie)\b[^.!?\n]{0,15}\b(?:neue|weitere|andere)n? "
        r"(?:anweisungen|aufgaben|herausforderungen|instruktionen)\b",
        r"\b(?:do not|don't|never) (?:answer|look in|mention|reveal|disclose|tell|inform)\b[^.!?\n]{0,15}"
        r"\b(?:this question|the question|the (?:documents|articles|context) provided|the user|(?:these|this|your) "
        r"(?:instructions?|prompt))\b[^.!?\n]{0,40}",
        r"\b(?:and |but |not |now )(?:just|only) (?:output|say|respond with|answer with)\b[^.!?\n]{0,50}",
        r"\b(?:by|from) your own knowledge and not\b[^.!?\n]{0,40}",
        r"\brepeat after me\b[^.!?\n]{0,40}|\bstop ?[-:] ?write\b[^.!?\n]{0,40}",
        r"\b(?:say|state|claim) that (?:you (?:hate|love|are)|\w+ is the best)\b[^.!?\n]{0,40}",
        r"\bi (?:want|need) you to (?:act as|pretend|ignore|only (?:reply|answer|respond))\b[^.!?\n]{0,60}",
        r"\bimagine (?:that )?you(?:'re| are) (?:the|an?) [^.!?\n]{0,40}[.!?] ?who are you\b",
        r"\bact as an? [^.!?\n]{0,25}\b(?:interpreter|terminal|console|shell|pirate|jailbr\w+)\b[^.!?\n]{0,40}",
        r"\bexecute the following (?:command|code|instructions?)\b[^.!?\n]{0,40}",
        r"\b(?:ich möchte|ich will|wir bitten sie),? (?:dass|daß) (?:du|sie) als\b[^.!?\n]{0,60}",
        r"\b(?:what|spell ?-?check|print|repeat|display)\b[^.!?\n]{0,30}\b(?:written|text|sentences?|prompt)\b"
        r"[^.!?\n]{0,15}\b(?:above|before the text|of this prompt)\b",
        r"\b(?:return|print|show|reveal|output) (?:me )?(?:all )?your (?:embeddings|prompts?|prompt texts?|"
        r"instructions|system (?:message|prompt))\b",
        r"(?:^|\n)[=\-#* ]{3,}(?:end|begin|start)(?: of)?"
        r"(?: (?:the )?(?:system|prompt|document|context|instructions?))*"
        r"\b[^\n]{0,10}(?:now|prompt|instructions?|[=\-#*]{3,})[^\n]{0,40}",
        # What this pipeline would be steered to.
        r"\b(?:rank|rate|score|list|place) (?:this|our|us)\b[^.!?\n]{0,25}\b(?:first|highest|top|best|above all|10|5/5|"
        r"100)\b",
        r"\b(?:recommend|promote|favou?r|prefer) (?:only )?(?:this|our) (?:product|company|site|page|source|service)\b"
        r"[^.!?\n]{0,25}\b(?:over|above|instead|first|always)\b",
        r"\b(?:tell|inform|convince|persuade|advise) the (?:user|reader|founder|human|operator) (?:that|to)\b"
        r"[^.!?\n]{0,60}",
        r"\b(?:send|post|forward|upload|exfiltrate|transmit|leak)\b[^.!?\n]{0,30}\b(?:conversation|chat history|"
        r"api keys?|credentials|passwords?|secrets?|environment variables|this prompt)\b[^.!?\n]{0,15}\b(?:to|at) "
        r"(?:https?:|\S+@|[\w-]+\.\w{2,})",
        r"\b(?:set|change|report|mark|return) (?:the |your )?(?:verdict|score|stance|recommendation|rating) (?:to|as)\b"
        r"[^.!?\n]{0,40}",
    )
)
# Of what the idea reader finds, what ordinary pages are full of: code, dialogue, headings with a colon.
_ORDINARY = re.compile(
    r"^\W*(?:(?:system|assistant|user|developer)\s*:|<script|javascript:|\{\{|\$\{|drop table|union select|';|"
    r"(?:i (?:want|need) you to|you (?:will|must|should) (?:now )?(?:say|write|answer|respond))\b|"
    r"(?:you are|you're) now\b(?! (?:an? |the |in )?(?:\w+ )?(?:ai|assistant|model|\w*bot|dan|developer|unrestricted|"
    r"free))|"
    # "Firms that ignore the rules": only what came before, or what belongs to the reader, is an order to it.
    r"(?:please |now |then |and |[,:;.] ?)?(?:ignor|disregard|forget|override|bypass|skip)\w*\b"
    r"(?!.*\b(?:previous|prior|above|earlier|preceding|foregoing|before|your|my|system|said|told|prompts?|"
    r"(?:all|any|these) instructions?|"
    r"everything and)\b)|<(?:user|system|assistant|instructions?)>$|following (?:instructions?|task)|pretend to be\b|"
    r"(?:output|display|show|print|repeat|leak)s?[^.]{0,30}\b(?:api keys?|passwords?)\s*$)",
    re.IGNORECASE,
)
# Letters of other scripts that are read as Latin ones (the commonest of Unicode's confusables).
_LOOKALIKES = str.maketrans("аеорсухіѕјԁɡһӏνοαικρτυ", "aeopcyxisjdghlvoaikptu")
_LATIN = re.compile("[a-z]", re.IGNORECASE)


def instructions(text: str) -> tuple[str, ...]:
    """Up to five passages of at most 160 characters in which a text orders its reader about, in order.

    Rules, not understanding: they find what is written as an order to a machine in the languages they know, and miss
    what is merely told as a story. Nothing depends on them but a flag and a rank.
    """
    text = _readable(text[:SCANNED_CHARS_MAX])
    found = [p for p in suspicious.find(text, limit=1_000) if not _ORDINARY.match(p)]
    spans = sorted((match.start(), match.end()) for pattern in _PATTERNS for match in pattern.finditer(text))
    end = -1
    for start, stop in spans:
        if start >= end:
            found.append(" ".join(text[start:stop].split())[:_PASSAGE_CHARS_MAX])
            end = stop
    return tuple(dict.fromkeys(found))[:_PASSAGES_MAX]


def flagged(source: Found) -> Found:
    """The source, marked where its text instructs its reader. What ships with us or is marked stays as it is."""
    flag = common_pb2.SOURCE_FLAG_INSTRUCTIONS
    ours = source.origin == common_pb2.TEXT_ORIGIN_STARTER_SET
    if ours or flag in source.flags or not instructions(source.text):
        return source
    return replace(source, flags=(*source.flags, flag))


def penalty(flags: Collection[SourceFlag]) -> float:
    """What a source's composite score is multiplied by, above 0 to 1.

    >>> penalty([]), penalty([common_pb2.SOURCE_FLAG_INSTRUCTIONS])
    (1.0, 0.5)
    """
    factor = 1.0
    for flag in set(flags):
        factor *= _FACTORS.get(flag, 1.0)
    return factor


def _readable(text: str) -> str:
    """The text as a model would read it: letters in fancy alphabets and from other scripts as plain ones."""
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKC", text)
    # Only words that mix scripts are disguised; Russian and Greek stay what they are.
    return re.sub(r"\w+", lambda word: word[0].translate(_LOOKALIKES) if _LATIN.search(word[0]) else word[0], text)
