"""Tables of `campaigns.db`. An answer that a visitor has seen is on the disk before it is sent.

Times are microseconds since the epoch (UTC), money is micros of USD, messages are serialised protobuf. Addresses and
browsers of visitors are never stored: a visitor is a keyed hash whose key is deleted when the campaign completes.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

from chassis.database import Database, schema_table

# Raised by one with every change of a table: a database of another version is refused rather than misread.
SCHEMA_VERSION = 1

metadata = MetaData()
schema_info = schema_table(metadata)

campaigns = Table(
    "campaigns",
    metadata,
    Column("id", Text, primary_key=True),  # id of the run that drafted it: one campaign a run
    Column("tenant", Text, nullable=False),
    Column("slug", Text, nullable=False, unique=True),
    Column("status", Integer, nullable=False),  # CampaignStatus
    Column("status_reason", Text, nullable=False, default=""),
    Column(
        "request", LargeBinary, nullable=False
    ),  # DraftCampaignRequest without evidence: what pages are written from
    Column("draft", LargeBinary, nullable=False),  # CampaignResult, artifacts without content
    Column("plan_sha256", Text, nullable=False, default=""),  # of the plan as registered; "" before publication
    Column("budget_micros", BigInteger, nullable=False, default=0),  # cap over all platforms
    Column("page_url", Text, nullable=False, default=""),  # as published: ads lead there, whatever is set later
    Column("visitor_key", LargeBinary),  # secret that visitors are hashed with; NULL once the campaign has completed
    Column("title", Text, nullable=False, default=""),  # what visitors know it by
    Column("consent_text", Text, nullable=False, default=""),  # as the published page shows it
    Column("consent_version", Text, nullable=False, default=""),
    Column("adults_only", Boolean, nullable=False, default=False),  # the form asks whether the person is an adult
    Column("created_at", BigInteger, nullable=False),
    Column("published_at", BigInteger),
    Column("completed_at", BigInteger),
    Column("reading", LargeBinary),  # last CampaignReading, artifacts included
    Index("campaigns_by_tenant", "tenant", "id"),
    Index("campaigns_by_status", "status"),
)

# Pages as they were published: what the test is about does not change while it runs.
pages = Table(
    "pages",
    metadata,
    Column("campaign_id", Text, ForeignKey("campaigns.id"), primary_key=True),
    Column("path", Text, primary_key=True),  # "a", "b", "privacy"
    Column("html", Text, nullable=False),
    Column("sha256", Text, nullable=False),
)

# One row a visitor: the first visit decides the page, the day and where the visitor came from.
visitors = Table(
    "visitors",
    metadata,
    Column("campaign_id", Text, ForeignKey("campaigns.id"), primary_key=True),
    Column("visitor", Text, primary_key=True),  # keyed hash, or the random id of a consented cookie
    Column("variant", Text, nullable=False),  # "a" or "b"
    Column("first_seen_at", BigInteger, nullable=False),
    Column("day", Text, nullable=False),  # UTC, "2026-11-25"
    Column("views", Integer, nullable=False, default=1),
    Column("source", Text, nullable=False, default=""),  # utm_source, bounded
    Column("medium", Text, nullable=False, default=""),
    Column("campaign", Text, nullable=False, default=""),
    Column("term", Text, nullable=False, default=""),
    Column("content", Text, nullable=False, default=""),
    Index("visitors_by_day", "campaign_id", "day", "variant"),
)

# Visits that count for nothing, by day and why ("user_agent", "prefetch", "no_answer", ...).
excluded = Table(
    "excluded",
    metadata,
    Column("campaign_id", Text, ForeignKey("campaigns.id"), primary_key=True),
    Column("day", Text, primary_key=True),
    Column("reason", Text, primary_key=True),
    Column("visits", Integer, nullable=False),
)

# A person's address, as long as the person lets us keep it. Erased rows keep what counting needs and nothing else.
signups = Table(
    "signups",
    metadata,
    Column("campaign_id", Text, ForeignKey("campaigns.id"), primary_key=True),
    Column("id", Text, primary_key=True),
    Column("visitor", Text, nullable=False),
    Column("variant", Text, nullable=False),
    Column("counted", Boolean, nullable=False),  # False: from somebody whose visit does not count
    Column("repeat_of", Text),  # the address had signed up before: that row is the sign-up, this one only a form
    Column("email", Text),  # NULL once erased
    Column("email_key", Text),  # keyed hash of the normalised address; NULL once erased
    Column("token_sha256", Text, nullable=False),  # of the link that withdraws, exports and erases
    Column("consent_text", Text, nullable=False),
    Column("consent_version", Text, nullable=False),
    Column("signed_up_at", BigInteger, nullable=False),
    Column("day", Text, nullable=False),
    Column("withdrawn_at", BigInteger),
    Column("erased_at", BigInteger),
    UniqueConstraint("campaign_id", "email_key", name="one_signup_per_address"),
    UniqueConstraint("token_sha256", name="token_once"),
    Index("signups_by_day", "campaign_id", "day", "variant"),
)

# Form submissions that were answered: the same form sent twice gets the same answer and makes one row.
submissions = Table(
    "submissions",
    metadata,
    Column("campaign_id", Text, ForeignKey("campaigns.id"), primary_key=True),
    Column("nonce", Text, primary_key=True),
    Column("signup_id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)

# Effects on platforms, one row a step; written before the request leaves and again when its answer is known.
steps = Table(
    "steps",
    metadata,
    Column("campaign_id", Text, ForeignKey("campaigns.id"), primary_key=True),
    Column("key", Text, primary_key=True),  # "google_ads/budget"
    Column("position", Integer, nullable=False),
    Column("platform", Text, nullable=False),
    Column("title", Text, nullable=False, default=""),
    Column("state", Integer, nullable=False),  # SetupStepState
    Column("external_id", Text, nullable=False, default=""),
    Column("attempts", Integer, nullable=False, default=0),
    Column("detail", Text, nullable=False, default=""),
    Column("updated_at", BigInteger, nullable=False),
)

# A platform's state and what it says it has spent.
platforms = Table(
    "platforms",
    metadata,
    Column("campaign_id", Text, ForeignKey("campaigns.id"), primary_key=True),
    Column("platform", Text, primary_key=True),
    Column("position", Integer, nullable=False, default=0),
    Column("state", Integer, nullable=False),  # PlatformState
    Column("detail", Text, nullable=False, default=""),
    Column("spent_micros", BigInteger, nullable=False, default=0),
    Column("spend_read_at", BigInteger),
)


def campaigns_database(path: Path) -> Database:
    """The store of campaigns in the file `path`, not open yet."""
    return Database(path, metadata, SCHEMA_VERSION, "campaigns")
