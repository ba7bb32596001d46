"""From profile to plan."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2, errors_pb2, mvp_pb2
from services.mvp.domain.model import ENTITIES_MAX
from services.mvp.domain.patterns import monitors
from services.mvp.domain.render import INSIGHT_PATHS
from services.mvp.domain.spec import make_plan
from services.mvp.testing import IDEAS, profile


@pytest.mark.parametrize("kind", IDEAS)
def test_each_kind_of_idea_gets_its_own_pattern(kind: str) -> None:
    """The words of an idea choose the pattern that is about it, and the same words choose the same plan."""
    plan = make_plan(profile(kind))
    assert plan.patterns == (kind,)
    assert 1 <= len(plan.entities) <= ENTITIES_MAX
    assert make_plan(profile(kind)).spec == plan.spec


def test_every_behaviour_is_reached_by_some_idea() -> None:
    """No behaviour is dead code: the sample ideas reach all of them."""
    reached = {behaviour.kind for kind in IDEAS for behaviour in make_plan(profile(kind)).behaviours}
    assert reached == set(INSIGHT_PATHS)


def test_a_clinic_gets_patients_appointments_reminders_and_a_waitlist() -> None:
    """Entities and typed fields belong to the idea."""
    spec = make_plan(profile("appointments")).spec
    assert [entity.name for entity in spec.entities] == ["Patient", "Appointment", "Reminder", "WaitlistEntry"]
    fields = {field.name: field for field in spec.entities[1].fields}
    assert fields["patient_id"].reference == "Patient"
    assert fields["starts_at"].type == mvp_pb2.FIELD_TYPE_DATETIME
    assert "no_show" in fields["status"].values


def test_features_keep_their_claims_and_carry_criteria() -> None:
    """A feature of the profile keeps its title and claim, and says given, when and then."""
    features = {feature.title: feature for feature in make_plan(profile("fraud")).spec.features}
    found = features["Detect fraudulent invoices"]
    assert found.claim_id == "problem"
    assert found.acceptance_criteria
    for text in found.acceptance_criteria:
        assert text.startswith("Given ")
        assert " when " in text
        assert " then " in text


def test_a_feature_without_a_template_is_named_not_faked() -> None:
    """What no behaviour answers is left out of the features and listed as unbuilt."""
    plan = make_plan(profile("triage"))
    assert "Sing songs" in [feature.title for feature in plan.unbuilt]
    assert "Sing songs" not in [feature.title for feature in plan.spec.features]


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (common_pb2.PRODUCT_FORM_MOBILE_APP, common_pb2.MVP_TYPE_PWA),
        (common_pb2.PRODUCT_FORM_API, common_pb2.MVP_TYPE_API_SERVICE),
        (common_pb2.PRODUCT_FORM_MARKETPLACE, common_pb2.MVP_TYPE_WEB_APP),
        (common_pb2.PRODUCT_FORM_UNSPECIFIED, common_pb2.MVP_TYPE_WEB_APP),
    ],
)
def test_the_form_chooses_the_type(
    form: common_pb2.ProductForm.ValueType, expected: common_pb2.MvpType.ValueType
) -> None:
    """Without a wish, the product's form decides what is built."""
    assert make_plan(profile("search", form=form)).spec.type == expected


@pytest.mark.parametrize(
    ("request_profile", "wanted", "field"),
    [(common_pb2.IdeaProfile(), 0, "profile.idea"), (profile("search"), 99, "type")],
)
def test_unusable_requests_name_their_field(request_profile: common_pb2.IdeaProfile, wanted: int, field: str) -> None:
    """An empty profile and an unknown type are refused with the field at fault."""
    with pytest.raises(PipelineError) as caught:
        make_plan(request_profile, (), wanted)  # type: ignore[arg-type]
    assert caught.value.reason == errors_pb2.ERROR_REASON_INVALID_FIELD
    assert [violation.field for violation in caught.value.violations] == [field]


@pytest.mark.parametrize(
    ("idea", "asset"),
    [
        (
            "A B2B solution targeting wind farm operators. to solve: The wake effect lowers the yield of turbines",
            "Turbine",
        ),
        (
            "A B2B solution targeting farmers. to solve: Rotating inertia is lost and the electricity grid is unstable",
            "GridNode",
        ),
        ("A tool that detects zombie AI agents", "Agent"),
        ("A tool that monitors greenhouses", "Site"),
    ],
)
def test_what_is_watched_comes_from_the_problem(idea: str, asset: str) -> None:
    """The asset is read from the problem, not from the list of customers."""
    plan = make_plan(common_pb2.IdeaProfile(idea=idea))
    assert plan.patterns == ("monitor",)
    assert plan.entities[0].name == asset


def test_words_of_monitored_assets_are_valid() -> None:
    """Every kind of asset in the data file has limits with an action for each bound."""
    for kind in monitors.kinds():
        for limit in kind.limits:
            assert limit.lowest is not None or limit.highest is not None
            assert limit.lowest is None or limit.action_below
            assert limit.highest is None or limit.action_above


@given(st.text(min_size=1, max_size=300).filter(lambda text: text.strip()), st.lists(st.text(max_size=40), max_size=8))
def test_any_text_gives_a_bounded_plan(idea: str, words: list[str]) -> None:
    """Whatever the words, there is a plan with distinct, bounded names."""
    clean = idea.encode("utf-8", "ignore").decode().strip() or "idea"
    words = [word.encode("utf-8", "ignore").decode() for word in words]
    features = [common_pb2.Feature(id=word, title=word) for word in words]
    plan = make_plan(
        common_pb2.IdeaProfile(idea=clean, names=words, audiences=words, entities=words, features=features)
    )
    tables = [entity.table for entity in plan.entities]
    assert 1 <= len(tables) <= ENTITIES_MAX
    assert len(set(tables)) == len(tables)
    ids = [feature.id for feature in plan.spec.features]
    assert len(set(ids)) == len(ids)
    assert len(plan.spec.name) <= 60
    assert len(plan.spec.summary) <= 200
