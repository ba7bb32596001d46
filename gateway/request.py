"""What a caller asks for, checked field by field before anything is stored.

Every violation of a request is found in one pass and named with its path (`spec.idea.text`) and the mend.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from chassis.idea.text import normalise, normalise_name
from chassis.limits import ProfileLimits, resolve_profile
from pipeline.errors import FieldViolation, PipelineError
from pipeline.v1 import common_pb2, errors_pb2, pipeline_pb2

DEFAULT_BUDGET_MICROS = 60_000_000
DEFAULT_AD_BUDGET_MICROS = 25_000_000
# A million dollars: above it a slip of the keyboard is likelier than a wish.
BUDGET_MICROS_MAX = 1_000_000_000_000
FILE_NAME_CHARS_MAX = 120
DOCUMENTS_MAX = 50
DOCUMENT_BYTES_MAX = 2 * 1024 * 1024
DOCUMENTS_BYTES_MAX = 8 * 1024 * 1024
DOCUMENT_ENDINGS = (".md", ".txt", ".html", ".htm", ".pdf", ".csv")
DOMAINS_MAX = 20
KEYWORDS_MAX = 20
KEYWORD_CHARS_MAX = 80
MIN_EVIDENCE_MAX = 100
REQUEST_ID_CHARS_MAX = 64
BATCH_MAX = 500

_SLUG = re.compile(r"^[a-z0-9][a-z0-9_-]{0,63}$")
_REQUEST_ID = re.compile(r"^[\x21-\x7e]*$")
_ENUMS: dict[str, Any] = {
    "target_investor": common_pb2.InvestorType,
    "mvp_type": common_pb2.MvpType,
    "campaign_type": common_pb2.CampaignType,
    "on_rejection": pipeline_pb2.RejectionPolicy,
}


@dataclass(frozen=True)
class CheckedSpec:
    """A spec that can be run: text normalised, money filled in, limits applied."""

    spec: pipeline_pb2.RunSpec
    cap_micros: int
    notices: tuple[common_pb2.Notice, ...]


def check_spec(given: pipeline_pb2.RunSpec, limits: ProfileLimits, field: str = "spec") -> CheckedSpec:
    """The checked spec, or PipelineError INVALID_FIELD / DOCUMENT_UNREADABLE with every violation."""
    spec = pipeline_pb2.RunSpec()
    spec.CopyFrom(given)
    faults: list[FieldViolation] = []
    try:
        spec.idea.text = normalise(given.idea.text, field=f"{field}.idea.text")
    except PipelineError as error:
        faults += error.violations
    try:
        spec.idea.name = normalise_name(given.idea.name, field=f"{field}.idea.name")
    except PipelineError as error:
        faults += error.violations
    for name, enum in _ENUMS.items():
        faults += _enum_fault(enum, getattr(given, name), f"{field}.{name}")
    for number, phase in enumerate(given.skip_phases):
        where = f"{field}.skip_phases[{number}]"
        faults += _enum_fault(common_pb2.Phase, phase, where, unspecified=False)
        if phase == common_pb2.PHASE_VALIDATION:
            faults.append(FieldViolation(where, "is validation, which always runs; take it out of skip_phases"))
    faults += _money(spec, field)
    notices: tuple[common_pb2.Notice, ...] = ()
    try:
        notices = tuple(resolve_profile(given.profile, limits, field_prefix=f"{field}.profile").notices)
    except PipelineError as error:
        faults += error.violations
    faults += _domain_faults(given, field)
    unreadable = _document_faults(given, field)
    if faults:
        raise PipelineError.invalid_fields([*faults, *(fault for _, fault in unreadable)])
    if unreadable:
        document, first = unreadable[0]
        raise PipelineError(
            errors_pb2.ERROR_REASON_DOCUMENT_UNREADABLE,
            f"{first.field} {first.description}",
            metadata={"document": document},
            violations=[fault for _, fault in unreadable],
        )
    return CheckedSpec(spec, spec.budget_micros, notices)


def check_request_id(request_id: str) -> str:
    """The id when a header and a log line can carry it; raises INVALID_FIELD."""
    if len(request_id) > REQUEST_ID_CHARS_MAX:
        raise PipelineError.invalid(
            "request_id", f"has {len(request_id)} characters; at most {REQUEST_ID_CHARS_MAX} are allowed"
        )
    if not _REQUEST_ID.match(request_id):
        raise PipelineError.invalid("request_id", "must be printable ASCII without spaces, a UUID for example")
    return request_id


def check_batch(request: pipeline_pb2.CreateBatchRequest, limits: ProfileLimits) -> list[CheckedSpec]:
    """Every spec of a batch checked; the first violations of all of them are told together."""
    count = len(request.specs)
    if not 1 <= count <= BATCH_MAX:
        raise PipelineError.invalid("specs", f"has {count} ideas; give 1 to {BATCH_MAX}")
    faults: list[FieldViolation] = []
    if request.HasField("budget_micros") and not 0 <= request.budget_micros <= BUDGET_MICROS_MAX:
        faults.append(FieldViolation("budget_micros", _money_mend(request.budget_micros)))
    checked: list[CheckedSpec] = []
    for number, spec in enumerate(request.specs):
        try:
            checked.append(check_spec(spec, limits, f"specs[{number}]"))
        except PipelineError as error:
            faults += error.violations
    if faults:
        raise PipelineError.invalid_fields(faults)
    return checked


def _plain(text: str) -> bool:
    """No control and no invisible characters."""
    return not any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") for char in text)


def _enum_fault(enum: Any, value: int, field: str, *, unspecified: bool = True) -> list[FieldViolation]:
    if value in enum.values() and (value or unspecified):
        return []
    names = ", ".join(name for name, number in enum.items() if number)
    return [FieldViolation(field, f"is {value}, which is unknown; choose one of {names}")]


def _money_mend(value: int) -> str:
    return f"is {value} micros; give 0 to {BUDGET_MICROS_MAX} (one dollar is 1000000)"


def _money(spec: pipeline_pb2.RunSpec, field: str) -> list[FieldViolation]:
    """Fill in what was not set; the faults of what was."""
    faults = []
    if spec.HasField("budget_micros") and not 0 <= spec.budget_micros <= BUDGET_MICROS_MAX:
        faults.append(FieldViolation(f"{field}.budget_micros", _money_mend(spec.budget_micros)))
    if spec.HasField("ad_budget_micros") and not 0 <= spec.ad_budget_micros <= BUDGET_MICROS_MAX:
        faults.append(FieldViolation(f"{field}.ad_budget_micros", _money_mend(spec.ad_budget_micros)))
    if faults:
        return faults
    if not spec.HasField("budget_micros"):
        spec.budget_micros = DEFAULT_BUDGET_MICROS
    if spec.HasField("ad_budget_micros") and spec.ad_budget_micros > spec.budget_micros:
        mend = (
            f"is {spec.ad_budget_micros} micros, more than the run's budget of {spec.budget_micros};"
            " lower it or raise budget_micros"
        )
        return [FieldViolation(f"{field}.ad_budget_micros", mend)]
    wanted = spec.ad_budget_micros if spec.HasField("ad_budget_micros") else DEFAULT_AD_BUDGET_MICROS
    spec.ad_budget_micros = min(wanted, spec.budget_micros)
    return []


def lower_budget(checked: CheckedSpec, share: int) -> CheckedSpec:
    """The same spec with its money lowered to a batch's share."""
    spec = pipeline_pb2.RunSpec()
    spec.CopyFrom(checked.spec)
    spec.budget_micros = min(spec.budget_micros, share)
    spec.ad_budget_micros = min(spec.ad_budget_micros, spec.budget_micros)
    return CheckedSpec(spec, spec.budget_micros, checked.notices)


def _domain_faults(spec: pipeline_pb2.RunSpec, field: str) -> list[FieldViolation]:
    faults: list[FieldViolation] = []
    if len(spec.domains) > DOMAINS_MAX:
        faults.append(FieldViolation(f"{field}.domains", f"has {len(spec.domains)} entries; at most {DOMAINS_MAX}"))
        return faults
    seen: set[str] = set()
    for number, domain in enumerate(spec.domains):
        where = f"{field}.domains[{number}]"
        if not _SLUG.match(domain.name):
            mend = "is not a slug; write lower-case letters, digits, _ and - (market_research)"
            faults.append(FieldViolation(f"{where}.name", mend))
        elif domain.name in seen:
            faults.append(FieldViolation(f"{where}.name", f"repeats {domain.name}; merge the two domains"))
        seen.add(domain.name)
        if len(domain.keywords) > KEYWORDS_MAX:
            mend = f"has {len(domain.keywords)} entries; at most {KEYWORDS_MAX}"
            faults.append(FieldViolation(f"{where}.keywords", mend))
        for place, keyword in enumerate(domain.keywords[:KEYWORDS_MAX]):
            if not keyword.strip() or len(keyword) > KEYWORD_CHARS_MAX or not _plain(keyword):
                mend = f"must be plain text of 1 to {KEYWORD_CHARS_MAX} characters"
                faults.append(FieldViolation(f"{where}.keywords[{place}]", mend))
        if not 0 <= domain.min_evidence_count <= MIN_EVIDENCE_MAX:
            mend = f"is {domain.min_evidence_count}; give 0 to {MIN_EVIDENCE_MAX}"
            faults.append(FieldViolation(f"{where}.min_evidence_count", mend))
        if not (math.isfinite(domain.quality_threshold) and 0 <= domain.quality_threshold <= 1):
            mend = f"is {domain.quality_threshold}; give 0 to 1"
            faults.append(FieldViolation(f"{where}.quality_threshold", mend))
    return faults


def _document_faults(spec: pipeline_pb2.RunSpec, field: str) -> list[tuple[str, FieldViolation]]:
    faults: list[tuple[str, FieldViolation]] = []
    if len(spec.documents) > DOCUMENTS_MAX:
        mend = f"has {len(spec.documents)} files; at most {DOCUMENTS_MAX}"
        return [("", FieldViolation(f"{field}.documents", mend))]
    total = sum(len(document.content) for document in spec.documents)
    if total > DOCUMENTS_BYTES_MAX:
        mend = f"have {total} bytes together; at most {DOCUMENTS_BYTES_MAX} are taken"
        faults.append(("", FieldViolation(f"{field}.documents", mend)))
    seen: set[str] = set()
    for number, document in enumerate(spec.documents):
        fault = _document_fault(document)
        if not fault and document.name.casefold() in seen:
            fault = f"({document.name}) has the name of another document; rename one of them"
        seen.add(document.name.casefold())
        if fault:
            faults.append((document.name[:100], FieldViolation(f"{field}.documents[{number}]", fault)))
    return faults


def _document_fault(document: common_pb2.Document) -> str:
    name, content = document.name, document.content
    if not 1 <= len(name) <= FILE_NAME_CHARS_MAX or "/" in name or "\\" in name or not _plain(name):
        return f"needs a plain file name of 1 to {FILE_NAME_CHARS_MAX} characters without a folder"
    if not name.lower().endswith(DOCUMENT_ENDINGS):
        return f"({name}) has an ending that is not read; give one of {', '.join(DOCUMENT_ENDINGS)}"
    if not content:
        return f"({name}) is empty; give a file with text in it"
    if len(content) > DOCUMENT_BYTES_MAX:
        return f"({name}) has {len(content)} bytes; at most {DOCUMENT_BYTES_MAX} are taken, split it"
    if name.lower().endswith(".pdf"):
        # The outer shape only: parsing an untrusted PDF is the evidence service's business.
        if b"%PDF-" not in content[:1024] or b"startxref" not in content[-65536:]:
            return f"({name}) is not a whole PDF; export it anew or give it as .txt"
    elif b"\x00" in content:
        return f"({name}) is not text; save it as UTF-8 or give the original as .pdf"
    else:
        try:
            content.decode("utf-8")
        except UnicodeDecodeError:
            return f"({name}) is not UTF-8; save it as UTF-8"
    return ""
