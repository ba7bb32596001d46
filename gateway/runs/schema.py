"""Tables of `runs.db`. The database is the truth: what is not in here did not happen.

Times are microseconds since the epoch (UTC), money is micros of USD, messages are serialised protobuf. Uniqueness does
the deduplication: an event key, a ledger key, a checkpoint and an artifact path exist once per run however often a
phase is tried.
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

runs = Table(
    "runs",
    metadata,
    Column("id", Text, primary_key=True),  # time-ordered, so that its order is the order of creation
    Column("tenant", Text, nullable=False),
    Column("state", Integer, nullable=False),  # RunState
    Column("spec", LargeBinary, nullable=False),  # RunSpec without the documents' content
    Column("created_at", BigInteger, nullable=False),
    Column("started_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("trace_id", Text, nullable=False),  # 32 hex digits
    Column("root_span_id", Text, nullable=False),  # 16 hex digits
    Column("caller_traceparent", Text, nullable=False, default=""),
    Column("cap_micros", BigInteger, nullable=False),
    Column("batch_id", Text, nullable=False, default=""),
    Column("last_sequence", BigInteger, nullable=False, default=0),
    Column("notices", LargeBinary, nullable=False, default=b""),  # Run message with `notices` only
    Column("verdict", LargeBinary),  # Verdict
    Column("metrics", LargeBinary),  # Metrics
    Column("failure", LargeBinary),  # Failure
    Index("runs_by_tenant", "tenant", "id"),
    Index("runs_by_state", "state", "id"),
)

documents = Table(
    "documents",
    metadata,
    Column("run_id", Text, ForeignKey("runs.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

# Who works on a run. `token` only ever grows; a write that carries an older one is refused.
leases = Table(
    "leases",
    metadata,
    Column("run_id", Text, ForeignKey("runs.id"), primary_key=True),
    Column("owner", Text, nullable=False),  # "" while nobody holds it
    Column("token", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index("leases_by_expiry", "expires_at"),
)

phases = Table(
    "phases",
    metadata,
    Column("run_id", Text, ForeignKey("runs.id"), primary_key=True),
    Column("phase", Integer, primary_key=True),
    Column("state", Integer, nullable=False),  # PhaseState
    Column("attempt", Integer, nullable=False, default=0),
    Column("started_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("detail", Text, nullable=False, default=""),
    Column("failure", LargeBinary),  # Failure
    Column("missing", LargeBinary),  # Missing, where the whole phase is lacking
)

# Checkpoints: at most one result per run and phase.
phase_results = Table(
    "phase_results",
    metadata,
    Column("run_id", Text, ForeignKey("runs.id"), primary_key=True),
    Column("phase", Integer, primary_key=True),
    Column("attempt", Integer, nullable=False),
    Column("result", LargeBinary, nullable=False),  # the phase's result message, artifacts without content
    Column("created_at", BigInteger, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("run_id", Text, ForeignKey("runs.id"), primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("key", Text, nullable=False),
    Column("event", LargeBinary, nullable=False),  # RunEvent
    UniqueConstraint("run_id", "key", name="events_once"),
)

# A row is a reservation until it is settled; what is released is deleted.
ledger = Table(
    "ledger",
    metadata,
    Column("run_id", Text, ForeignKey("runs.id"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("category", Integer, nullable=False),
    Column("amount_micros", BigInteger, nullable=False),
    Column("settled", Boolean, nullable=False),
    Column("purpose", Text, nullable=False),
)

artifacts = Table(
    "artifacts",
    metadata,
    Column("run_id", Text, ForeignKey("runs.id"), primary_key=True),
    Column("path", Text, primary_key=True),
    Column("media_type", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("phase", Integer, nullable=False),
)

# The last reading of a run's campaign; a final one is part of the run's verdict.
readings = Table(
    "readings",
    metadata,
    Column("run_id", Text, ForeignKey("runs.id"), primary_key=True),
    Column("reading", LargeBinary, nullable=False),  # CampaignReading, artifacts without content
    Column("read_at", BigInteger, nullable=False),
)

request_ids = Table(
    "request_ids",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("request_id", Text, primary_key=True),
    Column("body_sha256", Text, nullable=False),
    Column("resource", Text, nullable=False),  # runs/{id} or batches/{id}
)

batches = Table(
    "batches",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("budget_micros", BigInteger, nullable=False),
)

batch_entries = Table(
    "batch_entries",
    metadata,
    Column("batch_id", Text, ForeignKey("batches.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("run_id", Text, ForeignKey("runs.id"), nullable=False),
    Column("duplicate_of", Integer),
    Index("batch_entries_by_run", "run_id"),
)


def runs_database(path: Path) -> Database:
    """The store of runs in the file `path`, not open yet."""
    return Database(path, metadata, SCHEMA_VERSION, "runs")
