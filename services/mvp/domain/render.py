"""From a plan to the files of a project: the same plan gives the same bytes.

Templates use `«value»`, `[% block %]` and `[# comment #]`, so that the Jinja and the Python that they contain stay
as they are. Words of the idea reach a file only through a filter that fits the file's language.
"""

from __future__ import annotations

import html
import json
import re
import textwrap
import zlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import jinja2

from services.mvp.domain import fields, model
from services.mvp.domain.model import At, Behaviour, Criterion, Day, Entity, FieldDraft, Money
from services.mvp.domain.naming import clean
from services.mvp.domain.spec import Plan

TEMPLATES: Final = Path(__file__).parent.parent / "templates"

VERSIONS: Final[Mapping[str, str]] = {
    "fastapi": "0.165.0",
    "httpx": "0.28.1",
    "jinja2": "3.1.6",
    "multipart": "0.0.34",
    "pydantic": "2.14.3",
    "pytest": "9.2.0",
    "ruff": "0.17.6",
    "uvicorn": "0.54.0",
}
"""Pinned in the generated project: the versions that the checks ran with (a test compares them with our lock)."""

LINE_LENGTH_MAX: Final = 110
"""Of the generated Python, as in its own linter settings."""

CONTACT: Final = "hello@example.com"
"""Stands for the founder's address on a landing page; named as missing in the result."""

_HUES: Final = {"food": 95, "health": 190, "fintech": 220, "education": 265, "agriculture": 130, "security": 345}

_PROJECT_FILES: Final = (
    ("README.md", "project/README.md.j2"),
    ("LICENSE", "LICENSE.j2"),
    ("pyproject.toml", "project/pyproject.toml.j2"),
    ("Dockerfile", "project/Dockerfile.j2"),
    (".dockerignore", "project/dockerignore.j2"),
    (".gitignore", "project/gitignore.j2"),
    (".github/workflows/ci.yml", "project/ci.yml.j2"),
    *(
        (f"app/{name}", f"project/app/{name}.j2")
        for name in (
            "__init__.py",
            "__main__.py",
            "api.py",
            "branding.py",
            "dependencies.py",
            "insights/__init__.py",
            "main.py",
            "models.py",
            "records.py",
            "rules/__init__.py",
            "schema.sql",
            "seed.py",
            "store.py",
        )
    ),
    *(
        (f"tests/{name}", f"project/tests/{name}.j2")
        for name in ("conftest.py", "samples.py", "test_records.py", "test_start.py")
    ),
)
_PAGE_FILES: Final = (
    *((f"app/{name}", f"project/app/{name}.j2") for name in ("forms.py", "pages.py", "panel.py")),
    *(
        (f"app/html/{name}.html", f"project/app/html/{name}.html")
        for name in ("base", "dashboard", "error", "form", "list")
    ),
    ("app/static/style.css", "project/app/static/style.css.j2"),
    ("app/static/icon.svg", "project/app/static/icon.svg.j2"),
    ("tests/test_pages.py", "project/tests/test_pages.py.j2"),
)
_INSTALL_FILES: Final = (
    ("app/static/manifest.webmanifest", "project/app/static/manifest.webmanifest.j2"),
    *((f"app/static/{name}", f"project/app/static/{name}") for name in ("sw.js", "register.js", "offline.html")),
)
_LANDING_FILES: Final = (
    ("README.md", "landing/README.md.j2"),
    ("LICENSE", "LICENSE.j2"),
    ("pyproject.toml", "landing/pyproject.toml.j2"),
    (".github/workflows/ci.yml", "landing/ci.yml.j2"),
    ("site/index.html", "landing/index.html.j2"),
    ("site/style.css", "project/app/static/style.css.j2"),
    ("site/icon.svg", "project/app/static/icon.svg.j2"),
    ("tests/test_site.py", "landing/test_site.py.j2"),
)
_INSTALLABLE_HEAD: Final = (
    '<link rel="manifest" href="/manifest.webmanifest">\n  <script src="/static/register.js" defer></script>'
)

INSIGHT_PATHS: Final[Mapping[str, tuple[str, ...]]] = {
    "expiry": ("expiry", "expiry/outcome"),
    "suggest": ("suggestions",),
    "schedule": (),
    "no_shows": ("no-shows/rate", "no-shows/risks"),
    "remind": ("reminders/due",),
    "waitlist": ("waitlist",),
    "match": (),
    "score": ("ranking",),
    "progress": ("progress",),
    "search": ("search",),
    "duplicates": ("duplicates",),
    "anomalies": ("findings",),
    "monitor": ("alerts", "unmeasured"),
    "orders": ("deliveries", "running-short"),
    "policy": ("decisions",),
    "triage": ("queue",),
}
"""Addresses below /api/insights/ that answer a GET without parameters, by behaviour."""


def render(plan: Plan) -> dict[str, bytes]:
    """The project's files by path (forward slashes), sorted. Raises jinja2.TemplateError for a broken template."""
    environment = _environment()
    shared = _shared_context(plan)
    files: dict[str, bytes] = {}
    for path, template in _templates_of(plan):
        files[path] = _bytes(environment.get_template(template).render(shared))
    for behaviour in plan.behaviours:
        local = shared | _behaviour_context(plan, behaviour)
        for path, name in (("app/rules", "rule"), ("app/insights", "insight"), ("tests", "test")):
            file = f"{path}/test_{behaviour.kind}.py" if name == "test" else f"{path}/{behaviour.kind}.py"
            template_name = f"behaviours/{behaviour.kind}/{name}.py.j2"
            files[file] = _bytes(environment.get_template(template_name).render(local))
    if "app/html/base.html" in files:
        head = _INSTALLABLE_HEAD if plan.installable else ""
        base = files["app/html/base.html"].decode().replace("  <!--pwa-->\n", f"  {head}\n" if head else "")
        files["app/html/base.html"] = base.encode()
    return dict(sorted(files.items()))


def _templates_of(plan: Plan) -> Sequence[tuple[str, str]]:
    if not plan.entities:
        return _LANDING_FILES
    files: tuple[tuple[str, str], ...] = _PROJECT_FILES
    if plan.pages:
        files += _PAGE_FILES
    if plan.installable:
        files += _INSTALL_FILES
    return files


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        variable_start_string="«",
        variable_end_string="»",
        block_start_string="[%",
        block_end_string="%]",
        comment_start_string="[#",
        comment_end_string="#]",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701  most files are Python; HTML files escape with |e, and the app's own pages autoescape
    )
    environment.filters |= {
        "py": _python,
        "json": lambda value: json.dumps(clean(str(value)), ensure_ascii=False),
        "markdown": _markdown,
        "line": lambda value: " ".join(clean(value).split()),
        "words": lambda value: str(value).replace("_", " "),
        "sentence": _sentence,
        "annotation": fields.annotation,
        "column": fields.column,
        "sample": fields.sample,
        "literal": model.literal,
    }
    return environment


def _shared_context(plan: Plan) -> dict[str, Any]:
    spec = plan.spec
    seeds = [value for entity in plan.entities for row in entity.seeds for value in row.values()]
    fields = [f for entity in plan.entities for f in entity.fields]
    references = [(e, f) for e in plan.entities for f in e.fields if f.reference is not None]
    escaped = next(((e, f) for e in plan.entities for f in e.fields if _escapable(e, f)), None)
    hue = _HUES.get(plan.profile.category, zlib.crc32(f"{plan.profile.category}/{spec.slug}".encode()) % 360)
    return {
        "spec": spec,
        "profile": plan.profile,
        "entities": plan.entities,
        "features": plan.features,
        "unbuilt": plan.unbuilt,
        "regulated": plan.profile.regulated_fields,
        "pages": plan.pages,
        "installable": plan.installable,
        "kinds": [b.kind for b in plan.behaviours],
        "guards": sorted((b for b in plan.behaviours if b.guards is not None), key=lambda b: b.kind),
        "insight_paths": [f"/api/insights/{p}" for b in plan.behaviours for p in INSIGHT_PATHS[b.kind]],
        "uses": _uses(fields),
        "seeded": any(entity.seeds for entity in plan.entities),
        "referenced": {value.entity.table for value in seeds if isinstance(value, model.Ref)},
        "seed_uses": {
            "decimal": any(isinstance(v, Money) for v in seeds),
            "midnight": any(isinstance(v, At) for v in seeds),
            "today": any(isinstance(v, Day) for v in seeds),
            "timedelta": any(isinstance(v, At) or (isinstance(v, Day) and v.offset) for v in seeds),
        },
        "sample_uses": {
            "timedelta": any(f.type in {model.DATE, model.DATETIME} for f in fields),
            "decimal": any(f.type == model.DECIMAL for f in fields),
        },
        "reference": {"child": references[0][0], "field": references[0][1], "parent": references[0][1].reference}
        if references
        else None,
        "escaped": {"entity": escaped[0], "field": escaped[1]} if escaped else None,
        "versions": VERSIONS,
        "hue": hue,
        "theme_color": _hex(hue),
        "initial": html.escape(next((c for c in spec.name if c.isalnum()), "M").upper()),
        "title_comment": "The application",
        "headline": _headline(plan),
        "points": [_sentence(point) for point in [f.title for f in plan.profile.features] or plan.profile.mechanisms][
            :6
        ],
        "contact": CONTACT,
    }


def _behaviour_context(plan: Plan, behaviour: Behaviour) -> dict[str, Any]:
    context: dict[str, Any] = {"behaviour": behaviour, **behaviour.params}
    event = behaviour.params.get("event")
    if isinstance(event, Entity):
        context.setdefault("person", event.needs[0])
        context["open_status"] = next(f.values[0] for f in event.fields if f.name == "status")
        with_field = behaviour.params.get("with_field")
        context["provider"] = next((f.reference for f in event.fields if f.name == with_field), None)
    texts = {criterion.test: criterion for criterion in behaviour.criteria}
    context["test"] = lambda name, arguments: _test_head(texts[name], arguments)
    return context


def _test_head(criterion: Criterion, arguments: str) -> str:
    """A test's first lines: its name and its criterion as the docstring."""
    head = f"def {criterion.test}({arguments}) -> None:\n"
    if len(criterion.text) <= 98:
        return f'{head}    """{criterion.text}"""'
    lines = textwrap.wrap(criterion.text, 98)
    return head + '    """' + "\n    ".join(lines) + '\n    """'


def _uses(fields: Sequence[FieldDraft]) -> dict[str, bool]:
    def has(kind: int, required: bool | None = None) -> bool:
        return any(f.type == kind and (required is None or f.required == required) for f in fields)

    uses = {
        "date": has(model.DATE),
        "datetime": has(model.DATETIME),
        "decimal": has(model.DECIMAL),
        "enum": has(model.ENUM),
        "line": has(model.STRING, True),
        "optional_line": has(model.STRING, False),
        "paragraph": has(model.TEXT, True),
        "optional_paragraph": has(model.TEXT, False),
        "email": has(model.EMAIL),
    }
    texts = any(uses[name] for name in ("line", "optional_line", "paragraph", "optional_paragraph", "email"))
    uses["field"] = texts or has(model.INTEGER) or has(model.DECIMAL)
    uses["annotated"] = uses["field"] or has(model.REFERENCE)
    return uses


def _escapable(entity: Entity, field: FieldDraft) -> bool:
    return field.type == model.STRING and field.required and field is entity.fields[0]


def _python(value: object) -> str:
    if isinstance(value, str):
        return json.dumps(clean(value), ensure_ascii=False)
    if isinstance(value, list):
        return "[" + ", ".join(_python(one) for one in value) + "]"
    return repr(value)


def _markdown(text: str) -> str:
    """One line of Markdown that shows `text` as it is."""
    flat = " ".join(clean(text).split())[:500]
    return re.sub(r"([\\`*_\[\]#|])", r"\\\1", html.escape(flat, quote=False))


def _sentence(text: str) -> str:
    flat = " ".join(clean(text).split())
    return flat[:1].upper() + flat[1:] + ("" if flat.endswith((".", "!", "?", "…")) else ".") if flat else ""


def _headline(plan: Plan) -> str:
    return _sentence(plan.profile.solution)[:90].rstrip(".") if plan.profile.solution else plan.spec.name


def _hex(hue: int) -> str:
    """The accent colour hsl(hue 65% 32%) as #rrggbb."""
    import colorsys

    red, green, blue = colorsys.hls_to_rgb(hue / 360, 0.32, 0.65)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"


def _bytes(text: str) -> bytes:
    """Rendered text with sorted imports, at most two blank lines in a row and a single newline at its end."""
    sorted_imports = re.sub(r"^from (app\.models|app\.panel|samples) import (.+)$", _import, text, flags=re.MULTILINE)
    return (re.sub(r"\n{4,}", "\n\n\n", sorted_imports).strip("\n") + "\n").encode("utf-8")


def _import(found: re.Match[str]) -> str:
    """An import whose names depend on the entities, in the linter's order: constants, classes, the rest."""
    names = sorted(
        set(found.group(2).split(", ")), key=lambda name: (not name.isupper(), name[0].islower(), name.lower())
    )
    line = f"from {found.group(1)} import {', '.join(names)}"
    if len(line) <= LINE_LENGTH_MAX:
        return line
    return f"from {found.group(1)} import (\n" + "".join(f"    {name},\n" for name in names) + ")"
