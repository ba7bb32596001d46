"""From an idea's profile to the plan of a project: patterns chosen by rules, entities bounded, features mapped.

Deterministic: the same profile and type give the same plan.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chassis.idea import words
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2, mvp_pb2
from services.mvp.domain import naming
from services.mvp.domain.model import ENTITIES_MAX, Behaviour, Criterion, Entity, Kit
from services.mvp.domain.patterns import appointments, expiry, matching, monitors, risk, scoring, trade
from services.mvp.domain.patterns.context import Context, Pattern

_ORDER: Final = (
    "expiry",
    "fraud",
    "matching",
    "appointments",
    "policy",
    "scoring",
    "monitor",
    "journal",
    "search",
    "orders",
)
_ALL: Final = tuple(
    pattern
    for module in (appointments, expiry, matching, monitors, risk, scoring, trade)
    for pattern in module.PATTERNS
)
_BY_NAME: Final = {pattern.name: pattern for pattern in _ALL}
PATTERNS: Final[tuple[Pattern, ...]] = tuple(_BY_NAME[name] for name in _ORDER)
"""In order of how much a pattern says about an idea: the earlier one wins its words."""

PATTERNS_MAX: Final = 2
"""Most patterns in one MVP: the idea's main job and one more."""

SUMMARY_LENGTH_MAX: Final = 200
FEATURES_MAX: Final = 12


@dataclass(frozen=True)
class PlannedFeature:
    """A feature with the behaviours that build it."""

    id: str
    title: str
    claim_id: str
    behaviours: tuple[Behaviour, ...]
    criteria: tuple[tuple[str, Criterion], ...]
    """Test module (without `test_`) and criterion."""


@dataclass(frozen=True)
class Plan:
    """Everything that the templates read; `spec` is its wire form."""

    spec: mvp_pb2.MvpSpec
    profile: common_pb2.IdeaProfile
    entities: tuple[Entity, ...]
    behaviours: tuple[Behaviour, ...]
    features: tuple[PlannedFeature, ...]
    unbuilt: tuple[common_pb2.Feature, ...]
    """Features of the profile that no template builds yet: named, not faked."""
    patterns: tuple[str, ...]

    @property
    def installable(self) -> bool:
        """True for a web app that a phone can install."""
        return self.spec.type == common_pb2.MVP_TYPE_PWA

    @property
    def pages(self) -> bool:
        """True when people use it in a browser."""
        return self.spec.type in {common_pb2.MVP_TYPE_WEB_APP, common_pb2.MVP_TYPE_PWA}


def choose_type(profile: common_pb2.IdeaProfile, wanted: common_pb2.MvpType.ValueType) -> common_pb2.MvpType.ValueType:
    """The type asked for, else the one that fits the product's form. Raises INVALID_FIELD for an unknown type."""
    if wanted not in common_pb2.MvpType.values():
        raise PipelineError.invalid(
            "type", "is not a known MVP type; use landing_page, web_app, api_service or pwa, or leave it unset"
        )
    if wanted != common_pb2.MVP_TYPE_UNSPECIFIED:
        return wanted
    match profile.product_form:
        case common_pb2.PRODUCT_FORM_MOBILE_APP:
            return common_pb2.MVP_TYPE_PWA
        case common_pb2.PRODUCT_FORM_API:
            return common_pb2.MVP_TYPE_API_SERVICE
        case _:
            return common_pb2.MVP_TYPE_WEB_APP


def make_plan(
    profile: common_pb2.IdeaProfile,
    claims: Sequence[common_pb2.Claim] = (),
    wanted: common_pb2.MvpType.ValueType = common_pb2.MVP_TYPE_UNSPECIFIED,
) -> Plan:
    """The plan for `profile`. Raises INVALID_FIELD when the profile has no idea text or the type is unknown."""
    if not profile.idea.strip():
        raise PipelineError.invalid("profile.idea", "is empty; give the idea in at least 10 characters")
    kind = choose_type(profile, wanted)
    context = Context.of(profile)
    name = _product_name(profile)
    chosen = [] if kind == common_pb2.MVP_TYPE_LANDING_PAGE else choose_patterns(context)
    chosen, kit = _merge([(pattern, pattern.build(context)) for pattern in chosen])
    feasibility = next((c.id for c in claims if c.kind == common_pb2.CLAIM_KIND_FEASIBILITY), "")
    features, unbuilt = _features(profile, kit, feasibility)
    plan_entities = tuple(kit.entities)
    spec = mvp_pb2.MvpSpec(
        name=name,
        slug=naming.slug(name),
        type=kind,
        summary=_summary(profile),
        entities=[_wire_entity(e) for e in plan_entities],
        features=[
            mvp_pb2.MvpFeature(
                id=f.id, title=f.title, claim_id=f.claim_id, acceptance_criteria=[c.text for _, c in f.criteria]
            )
            for f in features
        ],
        pages=_pages(kind, plan_entities),
    )
    return Plan(
        spec,
        profile,
        plan_entities,
        tuple(kit.behaviours),
        features,
        unbuilt,
        tuple(pattern.name for pattern in chosen),
    )


def choose_patterns(context: Context) -> list[Pattern]:
    """At most two patterns that the idea's words call for; the fallback when there is none."""
    chosen: list[Pattern] = []
    taken: set[str] = set()
    for pattern in PATTERNS:
        if pattern.name not in taken and pattern.fits(context):
            chosen.append(pattern)
            taken |= {pattern.name, *pattern.claims.split()}
        if len(chosen) == PATTERNS_MAX:
            break
    return chosen or [risk.FALLBACK]


def _merge(built: Sequence[tuple[Pattern, Kit]]) -> tuple[list[Pattern], Kit]:
    """Kits joined in order; one that would exceed the entity limit or repeat a name or behaviour is left out."""
    merged, kept = Kit(), list[Pattern]()
    for pattern, kit in built:
        names = {entity.table for entity in merged.entities}
        kinds = {behaviour.kind for behaviour in merged.behaviours}
        fits = len(merged.entities) + len(kit.entities) <= ENTITIES_MAX
        if not fits or names & {e.table for e in kit.entities} or kinds & {b.kind for b in kit.behaviours}:
            continue
        merged.entities += kit.entities
        merged.behaviours += kit.behaviours
        kept.append(pattern)
    return kept, merged


def _features(
    profile: common_pb2.IdeaProfile, kit: Kit, feasibility: str
) -> tuple[tuple[PlannedFeature, ...], tuple[common_pb2.Feature, ...]]:
    if not kit.behaviours:
        return (), ()
    planned: list[PlannedFeature] = []
    unbuilt: list[common_pb2.Feature] = []
    used: set[str] = set()
    ids: set[str] = set()
    for feature in profile.features[:FEATURES_MAX]:
        fitting = tuple(b for b in kit.behaviours if re.search(b.answers, feature.title.lower()))
        if not fitting:
            unbuilt.append(feature)
            continue
        identity = _unique(naming.slug(feature.id or feature.title, "feature"), ids)
        used |= {b.kind for b in fitting}
        planned.append(_planned(identity, feature.title, feature.claim_id or feasibility, fitting))
    for behaviour in kit.behaviours:
        if behaviour.kind not in used:
            identity = _unique(naming.slug(behaviour.feature), ids)
            planned.append(_planned(identity, behaviour.feature, feasibility, (behaviour,)))
    records = tuple(
        ("records", Criterion(f"test_{verb}[{e.name}]", text))
        for e in kit.entities
        for verb, text in (
            (
                "stores_reads_changes_and_deletes",
                f"Given {e.a}, when it is stored, changed and deleted, then each step can be read back.",
            ),
            (
                "refuses_what_is_incomplete",
                f"Given {e.a} without its required fields, when it is stored, then it is refused.",
            ),
        )
    )
    kept = words.join([entity.many for entity in kit.entities[:3]])
    planned.append(PlannedFeature(_unique("keep-records", ids), f"Keep records of {kept}", feasibility, (), records))
    return tuple(planned), tuple(unbuilt)


def _planned(identity: str, title: str, claim_id: str, behaviours: tuple[Behaviour, ...]) -> PlannedFeature:
    criteria = tuple((b.kind, criterion) for b in behaviours for criterion in b.criteria)
    return PlannedFeature(identity, title[:120], claim_id, behaviours, criteria)


def _unique(identity: str, taken: set[str]) -> str:
    candidate, number = identity, 2
    while candidate in taken:
        candidate, number = f"{identity}-{number}", number + 1
    taken.add(candidate)
    return candidate


def _product_name(profile: common_pb2.IdeaProfile) -> str:
    for name in profile.names:
        cleaned = " ".join(naming.clean(name).split())[:60].strip()
        if cleaned:
            return cleaned
    words = [word.capitalize() for word in naming.ascii_words(" ".join(profile.keywords))[:2]]
    return " ".join(words) or "MVP"


def _summary(profile: common_pb2.IdeaProfile) -> str:
    words = " ".join(naming.clean(profile.one_liner or profile.idea).split())
    if len(words) <= SUMMARY_LENGTH_MAX:
        return words
    return words[: SUMMARY_LENGTH_MAX - 1].rsplit(" ", 1)[0].rstrip(" ,;:") + "…"


def _pages(kind: common_pb2.MvpType.ValueType, entities: Sequence[Entity]) -> list[str]:
    match kind:
        case common_pb2.MVP_TYPE_LANDING_PAGE:
            return ["/index.html"]
        case common_pb2.MVP_TYPE_API_SERVICE:
            return ["/", *(f"/api/{e.table}" for e in entities)]
        case _:
            return ["/", *(page for e in entities for page in (f"/{e.table}", f"/{e.table}/new"))]


def _wire_entity(entity: Entity) -> mvp_pb2.Entity:
    return mvp_pb2.Entity(
        name=entity.name,
        plural=entity.table,
        fields=[
            mvp_pb2.EntityField(
                name=f.name,
                type=f.type,
                required=f.required,
                values=f.values,
                reference=f.reference.name if f.reference else "",
            )
            for f in entity.fields
        ],
    )
