"""Landing pages as files: templates are read when the server is built, so that a call does no I/O."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from urllib.parse import quote, urlsplit

import jinja2
from markupsafe import Markup

from services.campaign.domain import palette
from services.campaign.domain.landing import PageCopy, Variant

_TEMPLATES = ("page.html.j2", "privacy.html.j2", "page.css.j2", "motifs.svg.j2")


@dataclass(frozen=True)
class Signup:
    """Where sign-ups go. Empty: nowhere, and the page says so."""

    endpoint: str = ""
    controller: str = ""

    @property
    def connected(self) -> bool:
        return bool(self.endpoint)

    @property
    def form_action(self) -> str:
        """The page's form-action policy: the endpoint's origin and nothing else."""
        if not self.endpoint:
            return "'none'"
        parts = urlsplit(self.endpoint)
        return f"{parts.scheme}://{parts.netloc}" if parts.netloc else "'self'"


@dataclass(frozen=True)
class RenderedPage:
    """The two files of a variant."""

    index: str
    privacy: str


class PageRenderer:
    """Renders landing pages; autoescape is on for every template but the style sheet, which takes no user text."""

    def __init__(self) -> None:
        folder = resources.files("services.campaign").joinpath("templates")
        sources = {name: folder.joinpath(name).read_text(encoding="utf-8") for name in _TEMPLATES}
        loader = jinja2.DictLoader(sources)
        self._pages = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
        self._styles = jinja2.Environment(loader=loader, autoescape=False, undefined=jinja2.StrictUndefined)  # noqa: S701

    def render(self, copy: PageCopy, variants: Sequence[Variant], signup: Signup, category: str) -> list[RenderedPage]:
        """Both variants, in the order given."""
        look = palette.look(category)
        light, dark = palette.light(look.hue, look.second), palette.dark(look.hue, look.second)
        css = self._styles.get_template("page.css.j2").render(light=light, dark=dark, serif=look.serif, tokens=_tokens)
        shared = {
            "copy": copy,
            "signup": signup,
            "controller": signup.controller,
            "light": light,
            "dark": dark,
            "motif_name": look.motif,
            # The sheet is ours and holds no user text; its hash is what the page's policy allows.
            "style": Markup(css),  # noqa: S704
            "style_hash": f"sha256-{base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()}",
            "icon": _icon(light),
        }
        page, privacy = self._pages.get_template("page.html.j2"), self._pages.get_template("privacy.html.j2")
        return [RenderedPage(page.render(variant=variant, **shared), privacy.render(**shared)) for variant in variants]


def _tokens(colours: palette.Palette) -> str:
    return "".join(f"--{name.replace('_', '-')}:{value};" for name, value in colours._asdict().items())


def _icon(colours: palette.Palette) -> str:
    svg = (
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 40 40'>"
        f"<circle cx='20' cy='20' r='20' fill='{colours.soft}'/><circle cx='15' cy='20' r='8' fill='{colours.accent}'/>"
        f"<circle cx='26' cy='20' r='5.5' fill='{colours.second}'/></svg>"
    )
    return f"data:image/svg+xml,{quote(svg)}"
