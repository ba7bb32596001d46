"""Landing pages, as files and as they are served: templates are read when the server is built, so a call does no I/O.

A served page is rendered once, when it is published. What differs by visitor is written into placeholders
(`@@form@@`) when it is sent; text from an idea can hold none, since two at-signs in a row are escaped.
"""

from __future__ import annotations

import base64
import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any
from urllib.parse import quote, urlsplit

import jinja2
from markupsafe import Markup, escape

from services.campaign.domain import palette
from services.campaign.domain.landing import PageCopy, Variant
from services.campaign.domain.visiting import RETENTION_DAYS

_TEMPLATES = (
    "layout.html.j2",
    "page.html.j2",
    "privacy.html.j2",
    "shell.html.j2",
    "problem.html.j2",
    "yours.html.j2",
    "message.html.j2",
    "page.css.j2",
    "motifs.svg.j2",
)
# A headline longer than this is set smaller; if one is, both are, since the headline's words are all that may differ.
_LONG_HEADLINE_CHARS = 52


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
class Site:
    """Where the links of a page and its form lead. No `action`: sign-ups go nowhere, and the page says so."""

    home: str
    privacy: str
    action: str
    form_policy: str
    url: str = ""
    served: bool = False


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
        self._pages = jinja2.Environment(
            loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, finalize=_inert
        )
        self._styles = jinja2.Environment(loader=loader, autoescape=False, undefined=jinja2.StrictUndefined)  # noqa: S701

    def render(self, copy: PageCopy, variants: Sequence[Variant], signup: Signup, category: str) -> list[RenderedPage]:
        """Both variants as files, in the order given."""
        site = Site("index.html", "privacy.html", signup.endpoint, signup.form_action)
        privacy = self.privacy(copy, site, signup.controller, category)
        return [RenderedPage(self.landing(copy, variants, v, site, category), privacy) for v in variants]

    def landing(self, copy: PageCopy, variants: Sequence[Variant], shown: Variant, site: Site, category: str) -> str:
        """The page of the variant `shown`; the others are asked for so that all are set in one size."""
        long = max(len(variant.headline) for variant in variants) > _LONG_HEADLINE_CHARS
        shared = self._shared(copy.name, copy.language, site, category)
        page = self._pages.get_template("page.html.j2")
        motif = palette.look(category).motif
        return page.render(copy=copy, variant=shown, long_headline=long, motif_name=motif, **shared)

    def privacy(
        self, copy: PageCopy, site: Site, controller: str, category: str, retention_days: int = RETENTION_DAYS
    ) -> str:
        """Who keeps what, why and how long; a marked gap where `controller` is empty."""
        shared = self._shared(copy.name, copy.language, replace(site, form_policy="'none'"), category)
        return self._pages.get_template("privacy.html.j2").render(
            copy=copy, controller=controller, retention_days=retention_days, **shared
        )

    def shell(self, name: str, site: Site, category: str = "") -> str:
        """A page without content in the look of `category`, with the placeholders `@@title@@` and `@@main@@`."""
        return self._pages.get_template("shell.html.j2").render(**self._shared(name, "en", site, category))

    def fragment(self, template: str, **values: object) -> Markup:
        """A piece of a page, escaped, for a placeholder."""
        return Markup(self._pages.get_template(template).render(**values))  # noqa: S704

    def _shared(self, name: str, language: str, site: Site, category: str) -> dict[str, Any]:
        look = palette.look(category)
        light, dark = palette.light(look.hue, look.second), palette.dark(look.hue, look.second)
        css = self._styles.get_template("page.css.j2").render(light=light, dark=dark, serif=look.serif, tokens=_tokens)
        return {
            "name": name,
            "language": language,
            "site": site,
            "light": light,
            "dark": dark,
            # The sheet is ours and holds no user text; its hash is what the page's policy allows.
            "style": Markup(css),  # noqa: S704
            "style_hash": style_hash(css),
            "icon": _icon(light),
        }


def style_hash(css: str) -> str:
    """What a Content-Security-Policy calls a style sheet: "sha256-" and the digest in base64."""
    return f"sha256-{base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()}"


def visible(text: str) -> str:
    """The text without characters that show nothing but change what is around them: controls, overrides of direction.

    A right-to-left override in a product's name would turn the sentence that it stands in, the consent included
    (Unicode Standard Annex 9, explicit directional formatting). Right-to-left letters are left as they are.
    """
    return "".join(c for c in text if c in "\n\t" or not (unicodedata.category(c) == "Cc" or c in _DIRECTIONS))


_DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _inert(value: object) -> Markup:
    """Any value as text of the page: escaped, and free of placeholders and hidden controls."""
    return Markup(visible(str(escape(value))).replace("@@", "&#64;&#64;"))  # noqa: S704


def _tokens(colours: palette.Palette) -> str:
    return "".join(f"--{name.replace('_', '-')}:{value};" for name, value in colours._asdict().items())


def _icon(colours: palette.Palette) -> str:
    svg = (
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 40 40'>"
        f"<circle cx='20' cy='20' r='20' fill='{colours.soft}'/><circle cx='15' cy='20' r='8' fill='{colours.accent}'/>"
        f"<circle cx='26' cy='20' r='5.5' fill='{colours.second}'/></svg>"
    )
    return f"data:image/svg+xml,{quote(svg)}"
