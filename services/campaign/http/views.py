"""What visitors are sent: the published page with their form in it, what is kept about them, and refusals.

Pure: pages come as they were stored, and every word that differs by visitor is escaped before it is put in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from markupsafe import Markup, escape

from services.campaign.domain.visiting import RETENTION_DAYS
from services.campaign.http.contract import MessageKind, Problem, Published, View, YourData
from services.campaign.rendering import PageRenderer, Site, style_hash

_PLACEHOLDER = re.compile(r"@@([a-z]+)@@")
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
_NOWHERE = Site(home="", privacy="", action="", form_policy="'none'", served=True)


class _Refusal(NamedTuple):
    """A sentence, and the name and id of the field that it is about."""

    text: str
    field: str


_REFUSALS = {
    Problem.EMAIL: _Refusal(
        "This does not look like an e-mail address. Please write one like name@example.org.", "email"
    ),
    Problem.CONSENT: _Refusal(
        "Your address cannot be kept without your consent. Please tick the box if you agree; nothing was stored.",
        "consent",
    ),
    Problem.ADULT: _Refusal(
        "Only adults can sign up here. Please confirm that you are 18 or older, or ask an adult; nothing was stored.",
        "adult",
    ),
}


class _Message(NamedTuple):
    """HTTP status, heading, what is said below it, and the words of the link to the page; no words: no link."""

    status: int
    heading: str
    text: str
    way: str = ""


_MESSAGES = {
    MessageKind.NOT_FOUND: _Message(
        404,
        "There is nothing here",
        "The address may be mistyped, or what stood here has been erased. A link is only as good as its last letter.",
        "To the page",
    ),
    MessageKind.PAUSED: _Message(
        503,
        "We are taking a break",
        "This page takes no sign-ups at the moment. Please come back later. If you have signed up, your own link "
        "works as before.",
    ),
    MessageKind.COMPLETED: _Message(
        410,
        "The test is over",
        "Thank you for your interest. This page takes no more sign-ups. If you have signed up, your own link works "
        "as before, and you hear from us how it ended.",
    ),
    MessageKind.RATE_LIMITED: _Message(
        429,
        "Please wait a moment",
        "Too many tries have come from your network in a short time. Nothing is lost: please try again in a few "
        "minutes.",
        "Back to the page",
    ),
    MessageKind.FORM_EXPIRED: _Message(
        400,
        "This form has expired",
        "It was open for too long, or came from somewhere else. Nothing was stored. A fresh form is one click away.",
        "Open a fresh form",
    ),
    MessageKind.FORBIDDEN: _Message(
        403,
        "This did not come from our page",
        "The form was sent by another site, so that nothing was done. If it was you, please use the page itself.",
        "To the page",
    ),
    MessageKind.TOO_LARGE: _Message(
        413,
        "That was too much",
        "The form that was sent is larger than any that this page makes. Nothing was stored.",
        "Back to the page",
    ),
    MessageKind.UNAVAILABLE: _Message(
        503,
        "Just a moment",
        "The page is busy and could not answer in time. Please try again in a minute.",
        "Try again",
    ),
    MessageKind.SERVER_ERROR: _Message(
        500,
        "Something went wrong",
        "The fault is ours. Please try again in a minute; if you were signing up, a second try does no harm.",
        "Try again",
    ),
}


class Views:
    """Writes HTML, policy and status. Stateless between calls."""

    def __init__(self, renderer: PageRenderer, retention_days: int = RETENTION_DAYS) -> None:
        """`retention_days`: after the test's end, until what was not erased before is erased."""
        self._renderer = renderer
        self._retention_days = retention_days
        # In the look of no campaign, for addresses that no campaign has.
        self._shell = renderer.shell("An idea under test", _NOWHERE)

    def landing(
        self, published: Published, variant: str, form_token: str, problem: Problem | None = None, email: str = ""
    ) -> View:
        """The page with the visitor's form; with a `problem` it comes back refused, the `email` as it was written."""
        values: dict[str, str] = {"form": form_token, "email": email}
        if problem is None:
            return _view(published.pages[variant], values, 200)
        refusal = _REFUSALS[problem]
        said = self._renderer.fragment("problem.html.j2", problem=refusal.text, field=refusal.field)
        values |= {
            "mark": "Error: ",
            "problem": said,
            f"{refusal.field}error": Markup('<p class="invalid" id="wrong">{}</p>').format(refusal.text),
            f"{refusal.field}invalid": Markup(' aria-invalid="true" aria-describedby="wrong"'),
        }
        return _view(published.pages[variant], values, 422)

    def privacy(self, published: Published) -> View:
        """The privacy page as it was published."""
        return _view(published.pages["privacy"], {}, 200)

    def yours(self, published: Published, sign_up: YourData, base_path: str) -> View:
        """What is kept about a person, with one button each to withdraw, export and erase under `base_path`."""
        main = self._renderer.fragment(
            "yours.html.j2",
            name=published.title,
            home=published.home,
            base_path=base_path,
            kept=sign_up,
            retention_days=self._retention_days,
            signed_up=_said(sign_up.signed_up_at),
            withdrawn=_said(sign_up.withdrawn_at) if sign_up.withdrawn_at else "",
        )
        return self._in_shell(f"Your data: {published.title}", main, published, 200)

    def message(self, kind: MessageKind, published: Published | None = None) -> View:
        """A page that says one thing and, where there is one, shows the way back."""
        said = _MESSAGES[kind]
        back = published.home if published and said.way else ""
        main = self._renderer.fragment("message.html.j2", heading=said.heading, text=said.text, way=said.way, back=back)
        title = f"{said.heading}: {published.title}" if published else said.heading
        return self._in_shell(title, main, published, said.status)

    def _in_shell(self, title: str, main: Markup, published: Published | None, status: int) -> View:
        shell = published.pages["shell"] if published else self._shell
        return _view(shell, {"title": title, "main": main}, status)


def _said(moment: datetime) -> str:
    """25 November 2026, 23:15 UTC."""
    utc = moment.astimezone(UTC)
    return f"{utc.day} {utc:%B %Y, %H:%M} UTC"


def _view(html: str, values: Mapping[str, str], status: int) -> View:
    """The page with `values` in its placeholders, empty where none is given.

    One pass: what is put in is not searched again, so that an address like `@@form@@` stays an address.
    """
    filled = _PLACEHOLDER.sub(lambda match: str(escape(values.get(match[1], ""))), html)
    style = _STYLE.search(html)
    allowed = f"'{style_hash(style[1])}'" if style else "'none'"
    policy = (
        f"default-src 'none'; style-src {allowed}; img-src data:; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    return View(filled, policy, status)
