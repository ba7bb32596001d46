"""Who a visitor is, which page they see, and what does not count. Pure; keys and times are passed in.

A visitor without consent is a keyed hash of the client's address and browser (docs/adr/0013). Tokens that leave with
a page are signed with the campaign's key, so that a form is attributed to the page it stood on and none can be made up.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import unicodedata
from collections.abc import Mapping
from typing import NamedTuple

VISITOR_HEX = 32
NONCE_HEX = 16
_SIGNATURE_HEX = 32
FORM_SECONDS_MAX = 86_400
UTM_CHARS_MAX = 100
EMAIL_CHARS_MAX = 254
# Addresses of people are erased this long after the test's end, unless the settings say otherwise.
RETENTION_DAYS = 90
_LOCAL_CHARS_MAX = 64

_TOKEN_TEXT = re.compile(r"[0-9a-f]{16}\.[0-9a-f]{32}\.[ab]\.[01]\.\d{1,12}")
_COOKIE_TEXT = re.compile(r"[0-9a-f]{32}\.[ab]")
# What HTML's own e-mail field takes (WHATWG HTML, "valid e-mail address"), and a dot in the host.
_EMAIL = re.compile(
    r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
    r"(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+"
)
# Programs that name themselves, by the words that crawlers, previews, monitors and libraries use.
_BOTS = re.compile(
    # Not a phone by Cubot, whose browser names it.
    r"(?<!cu)bot\b|spider|crawl|slurp|preview|scan(?:ner)?\b|monitor|uptime|pingdom|lighthouse|headless|phantom|archiver"
    r"|facebookexternalhit|whatsapp|telegram|skype|embedly|quora link|outbrain|vkshare|validator|feed(?:fetcher|ly)"
    r"|curl/|wget/|python|aiohttp|httpx|okhttp|go-http|java/|libwww|ruby|perl|axios|node-fetch|undici|postman|insomnia",
    re.IGNORECASE,
)


class Form(NamedTuple):
    """What a form says about the page that it stood on."""

    nonce: str
    visitor: str
    variant: str
    # False: the visit does not count, so neither does its sign-up.
    counted: bool
    # Seconds since the epoch.
    issued: int


class Origin(NamedTuple):
    """Where a visitor came from, as the link said (utm_*)."""

    source: str = ""
    medium: str = ""
    campaign: str = ""
    term: str = ""
    content: str = ""


def visitor_of(key: bytes, address: str, user_agent: str) -> str:
    """The visitor's name: 128 bits of HMAC-SHA256 over address and browser."""
    return _mac(key, f"visitor\0{address}\0{user_agent}")[:VISITOR_HEX]


def network_of(address: str) -> str:
    """Whom an address counts as where tries are limited: itself; the /64 of IPv6, all of which one customer has."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ipaddress.IPv6Network((int(parsed), 64), strict=False))


def variant_of(key: bytes, visitor: str) -> str:
    """ "a" or "b", each for half of all visitors; the same visitor always gets the same."""
    return "ab"[int(_mac(key, f"variant\0{visitor}")[:2], 16) & 1]


def form_token(key: bytes, form: Form) -> str:
    """The form's hidden field."""
    text = f"{form.nonce}.{form.visitor}.{form.variant}.{int(form.counted)}.{form.issued}"
    return f"{text}.{_sign(key, 'form', text)}"


def read_form_token(key: bytes, token: str, now: int) -> Form | None:
    """What the field said; None where it is not ours, or older than a day."""
    text = _signed(key, "form", token, _TOKEN_TEXT)
    if text is None:
        return None
    nonce, visitor, variant, counted, issued = text.split(".")
    form = Form(nonce, visitor, variant, counted == "1", int(issued))
    return form if 0 <= now - form.issued <= FORM_SECONDS_MAX else None


def cookie(key: bytes, visitor: str, variant: str) -> str:
    """The cookie of somebody who consented: who they are to us, and which page they see."""
    text = f"{visitor}.{variant}"
    return f"{text}.{_sign(key, 'cookie', text)}"


def read_cookie(key: bytes, value: str) -> tuple[str, str] | None:
    """(visitor, variant); None for a cookie that is not ours."""
    text = _signed(key, "cookie", value, _COOKIE_TEXT)
    if text is None:
        return None
    visitor, variant = text.split(".")
    return visitor, variant


def yours_token(key: bytes, signup_id: str) -> str:
    """The secret of a sign-up's own page: 256 bits, made from the key so that it can be given again, never stored."""
    return _mac(key, f"yours\0{signup_id}")


def email_key(key: bytes, email: str) -> str:
    """What one address is known by in the store."""
    return _mac(key, f"email\0{email}")


def not_counted(method: str, headers: Mapping[str, str]) -> str:
    """Why a request is no visit of a person ("" for a visit): "method", "prefetch", "no_user_agent", "robot"."""
    if method != "GET":
        return "method"
    purpose = " ".join(headers.get(name, "") for name in ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")).lower()
    if "prefetch" in purpose or "prerender" in purpose or "preview" in purpose:
        return "prefetch"
    agent = headers.get("User-Agent", "").strip()
    if not agent:
        return "no_user_agent"
    return "robot" if _BOTS.search(agent) else ""


def asks_not_to_be_counted(headers: Mapping[str, str]) -> bool:
    """Global Privacy Control or Do Not Track."""
    return headers.get("Sec-GPC", "").strip() == "1" or headers.get("DNT", "").strip() == "1"


def origin_of(query: Mapping[str, str]) -> Origin:
    """The link's utm parameters, cleaned and bounded."""
    return Origin(*(_plain(query.get(f"utm_{name}", "")) for name in Origin._fields))


def normal_email(text: str) -> str:
    """The address as it is kept: lower case, without spaces around; "" for what is none."""
    address = unicodedata.normalize("NFKC", text[: 4 * EMAIL_CHARS_MAX]).strip().lower()
    if len(address) > EMAIL_CHARS_MAX or not _EMAIL.fullmatch(address):
        return ""
    local = address.rpartition("@")[0]
    return "" if len(local) > _LOCAL_CHARS_MAX or ".." in local or local[0] == "." or local[-1] == "." else address


def _plain(text: str) -> str:
    kept = "".join(ch for ch in text[: 4 * UTM_CHARS_MAX] if unicodedata.category(ch)[0] not in "CZ" or ch == " ")
    return kept.strip()[:UTM_CHARS_MAX]


def _mac(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()


def _sign(key: bytes, purpose: str, text: str) -> str:
    return _mac(key, f"{purpose}\0{text}")[:_SIGNATURE_HEX]


def _signed(key: bytes, purpose: str, token: str, shape: re.Pattern[str]) -> str | None:
    text, dot, signature = token.rpartition(".")
    if not dot or not shape.fullmatch(text):
        return None
    return (
        text if hmac.compare_digest(signature.encode("utf-8", "replace"), _sign(key, purpose, text).encode()) else None
    )
