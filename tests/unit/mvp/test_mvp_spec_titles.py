"""Feature titles of the MVP that no template gives."""

from chassis.idea.reading import read_idea
from services.mvp.domain.spec import make_plan


def test_kept_records_are_named() -> None:
    """The feature that stores rows says which rows, in words."""
    idea = "A scheduling tool for small clinics that reduces no-shows with automatic reminders and waitlist filling"
    reading = read_idea(idea)
    plan = make_plan(reading.profile, reading.claims)
    (title,) = (feature.title for feature in plan.spec.features if feature.id.startswith("keep-records"))
    assert title.startswith("Keep records of patients")
    assert "belongs" not in title
