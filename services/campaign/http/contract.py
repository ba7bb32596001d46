"""What the pages' server and their views tell each other."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from pipeline.v1.campaign_pb2 import CampaignStatus


@dataclass(frozen=True)
class Published:
    """A campaign as its visitors meet it."""

    id: str
    slug: str
    title: str
    status: CampaignStatus.ValueType
    # What visitors are hashed with; None once the campaign has completed.
    visitor_key: bytes | None
    # HTML by path: "a", "b", "privacy", "shell".
    pages: Mapping[str, str]
    consent_text: str
    consent_version: str
    adults_only: bool
    page_url: str = ""

    @property
    def home(self) -> str:
        """Path of the landing page."""
        return f"/p/{self.slug}"


@dataclass(frozen=True)
class YourData:
    """What is kept about one person; `email` is empty once erased."""

    email: str
    signed_up_at: datetime
    consent_text: str
    consent_version: str
    variant: str
    # Keyed hash that the visit was counted under.
    visitor: str
    withdrawn_at: datetime | None = None
    erased_at: datetime | None = None


class MessageKind(enum.Enum):
    """Pages that say one thing."""

    NOT_FOUND = "not found"
    PAUSED = "paused"
    COMPLETED = "completed"
    RATE_LIMITED = "rate limited"
    FORM_EXPIRED = "form expired"
    FORBIDDEN = "forbidden"
    TOO_LARGE = "too large"
    UNAVAILABLE = "unavailable"
    SERVER_ERROR = "server error"


class Problem(enum.Enum):
    """Why a form came back."""

    EMAIL = "email"
    CONSENT = "consent"
    ADULT = "adult"


class View(NamedTuple):
    """A page, the policy that it is sent with, and its HTTP status."""

    html: str
    csp: str
    status: int = 200


class Views(Protocol):
    """Everything that visitors are shown."""

    def landing(
        self, published: Published, variant: str, form_token: str, problem: Problem | None = None, email: str = ""
    ) -> View: ...

    def privacy(self, published: Published) -> View: ...

    def yours(self, published: Published, sign_up: YourData, base_path: str) -> View:
        """`base_path`: where withdraw, export and erase hang (`/p/{slug}/yours/{token}`)."""
        ...

    def message(self, kind: MessageKind, published: Published | None = None) -> View: ...
