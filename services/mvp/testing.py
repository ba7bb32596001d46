"""Hand-made profiles: one per kind of product that the templates can build."""

from __future__ import annotations

from pipeline.v1 import common_pb2

IDEAS: dict[str, tuple[str, str, list[str]]] = {
    "expiry": (
        "An app that tracks expiry dates of food and suggests recipes",
        "food",
        ["Track expiry dates", "Suggest recipes"],
    ),
    "appointments": (
        "A scheduling tool for small clinics that reduces no-shows with reminders and a waitlist",
        "health",
        ["Reduce no-shows", "Send reminders", "Fill the waitlist"],
    ),
    "fraud": (
        "A tool that detects fraudulent invoices before they are paid",
        "fintech",
        ["Detect fraudulent invoices"],
    ),
    "matching": (
        "A marketplace that matches students with vetted tutors for lessons",
        "education",
        ["Match students with tutors"],
    ),
    "monitor": (
        "A drone service that scans farm fields and tells growers where to spray",
        "agriculture",
        ["Scan fields"],
    ),
    "scoring": ("A platform that validates startup ideas", "startup-tools", ["Validate ideas"]),
    "policy": ("A gateway that decides what AI agents may do", "security", ["Block forbidden requests"]),
    "journal": ("A habit tracking app", "fitness", ["Track habits"]),
    "search": ("A search engine for legal archives", "legal", ["Search archives"]),
    "orders": ("A subscription box for specialty coffee", "food", ["Deliver coffee every month"]),
    "triage": ("A better way to help neighbours", "general", ["Help neighbours", "Sing songs"]),
}


def profile(
    kind: str, *, form: common_pb2.ProductForm.ValueType = common_pb2.PRODUCT_FORM_WEB_APP
) -> common_pb2.IdeaProfile:
    """The profile of one of IDEAS."""
    idea, category, titles = IDEAS[kind]
    return common_pb2.IdeaProfile(
        idea=idea,
        names=[f"{kind.capitalize()} Works"],
        one_liner=idea,
        category=category,
        product_form=form,
        audiences=["neighbours"],
        features=[common_pb2.Feature(id="", title=title, claim_id="problem") for title in titles],
    )
