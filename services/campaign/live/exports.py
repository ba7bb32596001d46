"""What a campaign leaves behind: its registered plan, its ads, its counts by day, its reading, its people where asked.

Cells never start a formula in a spreadsheet (`safe_cell`); dates are UTC.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from pipeline.v1.common_pb2 import Artifact
from services.campaign.domain.counts import Counts
from services.campaign.domain.exports import artifact, plain, safe_cell, to_json
from services.campaign.domain.registration import registered_plan
from services.campaign.live.ports import SignupRow
from services.campaign.store.campaigns import StoredCampaign

COUNT_COLUMNS = ("day", "variant", "visitors", "signups", "views")
SIGNUP_COLUMNS = ("email", "variant", "signed_up_at", "consent_version", "consent_text")
FINAL_URL = "Final URL"


def export_files(stored: StoredCampaign, counts: Counts, people: Sequence[SignupRow] | None) -> list[Artifact]:
    """campaign/plan.json (as registered), ads, counts.csv, reading.json with its plots, and signups.csv.

    `people`: None leaves signups.csv out; an empty sequence makes one with its header alone.
    """
    files = [artifact("campaign/plan.json", "application/json", registered_plan(stored.draft.plan))]
    for drafted in stored.draft.artifacts:
        if drafted.content:
            text = drafted.content.decode()
            if drafted.path.endswith(".csv"):
                text = with_final_url(text, stored.page_url)
            files.append(artifact(drafted.path, drafted.media_type, text))
    files.append(artifact("campaign/counts.csv", "text/csv", counts_csv(counts)))
    if stored.reading is not None:
        reading = type(stored.reading)()
        reading.CopyFrom(stored.reading)
        reading.ClearField("artifacts")
        files.append(artifact("campaign/reading.json", "application/json", to_json(plain(reading))))
        files.extend(stored.reading.artifacts)
    if people is not None:
        files.append(artifact("campaign/signups.csv", "text/csv", signups_csv(people)))
    return files


def counts_csv(counts: Counts) -> str:
    """A row for each day and page, in their order."""
    return _csv(COUNT_COLUMNS, ((c.day.isoformat(), c.variant, c.visitors, c.signups, c.views) for c in counts.days))


def signups_csv(people: Iterable[SignupRow]) -> str:
    """A row for each person, with what they agreed to and when."""
    rows = (
        (p.email, p.variant, p.signed_up_at.isoformat(timespec="seconds"), p.consent_version, p.consent_text)
        for p in people
    )
    return _csv(SIGNUP_COLUMNS, rows)


def with_final_url(ads_csv: str, page_url: str) -> str:
    """The ads for Google Ads Editor with the page's address, which the draft could not know; unchanged before it is."""
    rows = list(csv.DictReader(io.StringIO(ads_csv, newline="")))
    if not page_url or not rows or FINAL_URL not in rows[0]:
        return ads_csv
    for row in rows:
        if row.get("Ad type"):
            row[FINAL_URL] = page_url
    return _csv(tuple(rows[0]), (row.values() for row in rows))


def _csv(columns: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([safe_cell(str(value)) for value in row] for row in rows)
    return out.getvalue()
