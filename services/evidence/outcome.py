"""What a run gathered, as the contract shows it: items, kept sources, reports, and everything that is lacking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from chassis.usage import UsageRecorder
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2, evidence_pb2
from services.evidence.domain import coverage
from services.evidence.domain.model import Candidate, Query
from services.evidence.domain.queries import Domain
from services.evidence.kept import keep
from services.evidence.providers import directory, documents
from services.evidence.providers.upstream import Tally, Upstream


@dataclass
class Heard:
    """What one source was asked in this run."""

    upstream: Upstream
    tally: Tally = field(default_factory=Tally)
    # The last of its failures.
    failure: PipelineError | None = None
    # Questions that fit, but were not put: its operator's terms allow no more.
    left_out: int = 0


@dataclass(frozen=True)
class Outcome:
    """Everything a result is made of. Items and `chosen` are in the same order."""

    claims: Sequence[common_pb2.Claim]
    domains: Sequence[Domain]
    queries: Sequence[Query]
    items: Sequence[common_pb2.EvidenceItem]
    chosen: Sequence[Candidate]
    # By domain: finds that reach its threshold, and finds in all.
    kept: Mapping[str, int]
    found_for: Mapping[str, int]
    heard: Mapping[str, Heard]
    # Sources that were not asked because the run is offline.
    silent: Sequence[str]
    # None of the sources that were tried could be reached: the run went on as an offline one.
    no_network: bool
    # Addresses that answer no more; what was found there is left out.
    dropped_links: set[str]
    by_words_alone: bool


def result_of(
    outcome: Outcome,
    notices: list[common_pb2.Notice],
    missing: Sequence[common_pb2.Missing],
    usage: UsageRecorder,
) -> evidence_pb2.EvidenceResult:
    """Return the result; `notices` and `missing` are what was known before and beside the search."""
    items = outcome.items
    products = sum(1 for item in items if item.provider == directory.PROVIDER)
    files, told = keep(items, outcome.chosen)
    if products:
        notices.append(
            _notice(
                "competition",
                "The starter directory lists mostly open-source products; commercial rivals are not in it.",
            )
        )
    own = outcome.heard.get(documents.PROVIDER)
    if own is not None and own.failure is None and not any(item.provider == documents.PROVIDER for item in items):
        notices.append(
            _notice(
                documents.PROVIDER,
                "The founder's documents were read; no passage of them is close enough to a claim to be shown. A lower "
                "quality_threshold lets more of them in.",
            )
        )
    if outcome.by_words_alone:
        notices.append(_notice("embedder", "Relevance was judged by words alone: no sentence embedder answered."))
    return evidence_pb2.EvidenceResult(
        claims=outcome.claims,
        items=items,
        domains=[
            evidence_pb2.DomainResult(
                name=domain.name,
                queries=list(dict.fromkeys(q.words or q.text for q in outcome.queries if q.domain == domain.name)),
                items_found=outcome.found_for[domain.name],
                items_kept=outcome.kept[domain.name],
            )
            for domain in outcome.domains
        ],
        providers=[_report(heard, items) for heard in outcome.heard.values()],
        missing=[
            *missing,
            *_not_heard(outcome),
            *_dead_links(outcome.dropped_links),
            *coverage.no_products(_knows_products(outcome), products),
            *coverage.uncovered_claims(outcome.claims, items, _unheard(outcome)),
            *coverage.shortfalls(outcome.domains, outcome.kept),
        ],
        notices=[*notices, *told],
        usage=usage.to_proto(),
        artifacts=files,
    )


def _unheard(outcome: Outcome) -> list[str]:
    """Sources of the outside world that had no chance to say anything."""
    if not outcome.no_network:
        return list(outcome.silent)
    return [name for name, heard in outcome.heard.items() if not heard.upstream.provider.offline]


def _knows_products(outcome: Outcome) -> bool:
    asked = outcome.heard.get(directory.PROVIDER)
    on_competition = any(claim.kind == common_pb2.CLAIM_KIND_COMPETITION for claim in outcome.claims)
    return on_competition and asked is not None and asked.failure is None


def _report(heard: Heard, items: Sequence[common_pb2.EvidenceItem]) -> evidence_pb2.ProviderReport:
    upstream, tally = heard.upstream, heard.tally
    return evidence_pb2.ProviderReport(
        provider=upstream.name,
        calls=tally.calls,
        failures=tally.failures,
        items=sum(1 for item in items if item.provider == upstream.name),
        breaker_state=str(upstream.breaker.state),
        last_error=tally.last_error,
        cache_hits=tally.cache_hits,
        spent_micros=tally.spent_micros,
        questions_left_out=heard.left_out + tally.left_out,
    )


def _not_heard(outcome: Outcome) -> list[common_pb2.Missing]:
    entries = [
        coverage.source_missing(
            name,
            common_pb2.MISSING_KIND_OFFLINE,
            f"{name} was not asked because this run is offline.",
            "Run again with a network and without the offline setting.",
        )
        for name in outcome.silent
    ]
    for name, heard in sorted(outcome.heard.items()):
        error, tally = heard.failure, heard.tally
        if error is None:
            continue
        if outcome.no_network and not heard.upstream.provider.offline:
            entries.append(
                coverage.source_missing(
                    name,
                    common_pb2.MISSING_KIND_OFFLINE,
                    f"{name} could not be reached: there seems to be no network.",
                    "Check the network and run again; --offline asks nobody.",
                    error.reason,
                )
            )
            continue
        part = "did not answer" if tally.failures >= tally.calls else "left some questions unanswered"
        wait = f" after {error.retry_after:.0f} seconds" if error.retry_after else ""
        entries.append(
            coverage.source_missing(
                name,
                common_pb2.MISSING_KIND_SOURCE_FAILED,
                f"{name} {part}: {error.message}.",
                f"Run again{wait or ' later'}; what was heard from the other sources stands.",
                error.reason,
            )
        )
    return entries


def _dead_links(urls: set[str]) -> list[common_pb2.Missing]:
    if not urls:
        return []
    count = len(urls)
    said = f"{count} source was" if count == 1 else f"{count} sources were"
    named = ", ".join(sorted(urls)[:3])
    return [
        coverage.source_missing(
            "links",
            common_pb2.MISSING_KIND_NO_COVERAGE,
            f"{said} left out because the address answers no more ({named}{' and others' if count > 3 else ''}).",
            "Nothing to do: what nobody can open is not cited.",
        )
    ]


def _notice(subject: str, message: str) -> common_pb2.Notice:
    return common_pb2.Notice(subject=subject, message=message, phase=common_pb2.PHASE_EVIDENCE)
