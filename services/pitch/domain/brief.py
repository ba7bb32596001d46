"""The request as the slide builders read it: slots ready for sentences, evidence sorted by claim and stance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from chassis.figures import BenchmarkFigure, Figures
from pipeline.v1 import common_pb2, pitch_pb2, validation_pb2
from services.pitch.domain import words
from services.pitch.domain.ledger import Ledger
from services.pitch.domain.sizing import Sizing

# More than a deck can use; the rest of a long list is not read at all.
EVIDENCE_MAX = 400

_CUSTOMERS = {
    common_pb2.CUSTOMER_TYPE_B2B: "businesses",
    common_pb2.CUSTOMER_TYPE_B2C: "consumers",
    common_pb2.CUSTOMER_TYPE_B2G: "public bodies",
    common_pb2.CUSTOMER_TYPE_MARKETPLACE: "both sides of a marketplace",
}
_FORMS = {
    common_pb2.PRODUCT_FORM_MOBILE_APP: "mobile app",
    common_pb2.PRODUCT_FORM_WEB_APP: "web app",
    common_pb2.PRODUCT_FORM_MARKETPLACE: "marketplace",
    common_pb2.PRODUCT_FORM_API: "API",
    common_pb2.PRODUCT_FORM_SERVICE: "service",
    common_pb2.PRODUCT_FORM_HARDWARE: "device",
    common_pb2.PRODUCT_FORM_EXTENSION: "extension",
}
_MODELS = {
    common_pb2.BUSINESS_MODEL_SUBSCRIPTION: "subscription",
    common_pb2.BUSINESS_MODEL_FREEMIUM: "free plan with a paid tier",
    common_pb2.BUSINESS_MODEL_MARKETPLACE_FEE: "fee on each booking",
    common_pb2.BUSINESS_MODEL_TRANSACTION_FEE: "fee on each transaction",
    common_pb2.BUSINESS_MODEL_SERVICE_FEE: "service fee",
    common_pb2.BUSINESS_MODEL_ADVERTISING: "advertising",
    common_pb2.BUSINESS_MODEL_HARDWARE_SALE: "hardware sale",
    common_pb2.BUSINESS_MODEL_USAGE_BASED: "usage-based price",
}


def _pain(profile: common_pb2.IdeaProfile) -> str:
    """The problem as a phrase; empty where what was read as one is the offer that the idea opens with.

    "Invoice financing for freelancers: we ..." names what is sold: nobody struggles with that.
    """
    problem = words.lower_first(words.clean(profile.problem, 90)).rstrip(".")
    opening, colon, _ = profile.idea.partition(":")
    return "" if colon and problem and opening.strip().casefold() == problem.casefold() else problem


@dataclass
class Brief:
    """All that the deck may speak of. Slots are cleaned, one-line and bounded; an absent slot is empty."""

    profile: common_pb2.IdeaProfile
    claims: Sequence[common_pb2.Claim]
    evidence: Sequence[common_pb2.EvidenceItem]
    criteria: Sequence[validation_pb2.CriterionScore]
    verdict: validation_pb2.Verdict
    investor: common_pb2.InvestorType.ValueType
    figures: Figures
    sizing: Sizing
    ledger: Ledger
    name: str = ""
    # "households", "small clinics and their patients"; "its users" where the idea names nobody.
    audience: str = ""
    problem: str = ""
    solution: str = ""
    mechanisms: tuple[str, ...] = ()
    form: str = ""
    model: str = ""
    customers: str = ""
    _quoted: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, request: pitch_pb2.DraftDeckRequest, figures: Figures, sizing: Sizing) -> Brief:
        """Prepares a request that the servicer has checked."""
        profile = request.profile
        given = [words.clean(name, 48) for name in profile.names[:1] if words.clean(name, 48)]
        # A lone digit as a name could not be told from a number.
        given = [name for name in given if len(name) > 2 or any(ch.isalpha() for ch in name)]
        name = given[0] if given else "This idea"
        # What is not verified never stands in a deck.
        verified = [item for item in request.evidence[:EVIDENCE_MAX] if item.verified]
        evidence = sorted(verified, key=lambda item: (-item.composite, item.id))
        products = tuple(words.clean(item.product.name, 48) for item in evidence if item.product.name)
        called = [*given, *(text for text in products if any(ch.isalpha() for ch in text))]
        audiences = [words.lower_first(words.clean(text, 70)) for text in profile.audiences[:2]]
        return cls(
            profile=profile,
            claims=list(request.claims),
            evidence=evidence,
            criteria=list(request.criteria),
            verdict=request.verdict,
            investor=request.investor_type or common_pb2.INVESTOR_TYPE_SEED,
            figures=figures,
            sizing=sizing,
            ledger=Ledger(names=tuple(dict.fromkeys(called))),
            name=name,
            audience=words.join([words.without_article(text) for text in audiences if text]),
            problem=_pain(profile),
            solution=words.clean(profile.solution, 160).rstrip("."),
            mechanisms=tuple(
                words.lower_first(words.clean(text, 80)).rstrip(".") for text in profile.mechanisms[:4] if text
            ),
            form=_FORMS.get(profile.product_form, "product"),
            model=_MODELS.get(profile.business_model, ""),
            customers=_CUSTOMERS.get(profile.customer_type, ""),
        )

    @property
    def buyer(self) -> str:
        """The first audience: who decides and pays."""
        first = (
            words.without_article(words.lower_first(words.clean(self.profile.audiences[0], 70)))
            if (self.profile.audiences)
            else ""
        )
        return first or "its users"

    @property
    def users(self) -> str:
        """The audience, or a word that fits every sentence in its place."""
        return self.audience or "its users"

    def claim_ids(self, *kinds: int) -> list[str]:
        """Ids of the claims of the given kinds, in the request's order."""
        return [claim.id for claim in self.claims if claim.kind in kinds]

    def found(self, stance: int, *kinds: int) -> list[common_pb2.EvidenceItem]:
        """Evidence of a stance on claims of the given kinds, best first, one per source page."""
        ids = set(self.claim_ids(*kinds))
        seen: set[str] = set()
        items = []
        for item in self.evidence:
            if item.stance == stance and item.claim_id in ids and (item.quote or item.title):
                key = item.url or item.title
                if key not in seen:
                    seen.add(key)
                    items.append(item)
        return items

    def fresh(self, items: Sequence[common_pb2.EvidenceItem], limit: int) -> list[common_pb2.EvidenceItem]:
        """Up to `limit` items whose page no earlier slide has quoted, so that a deck does not repeat itself."""
        chosen = [item for item in items if item.quote and (item.url or item.quote) not in self._quoted][:limit]
        self._quoted.update(item.url or item.quote for item in chosen)
        return chosen

    def is_starter_figure(self, item: common_pb2.EvidenceItem) -> bool:
        """Whether an item only repeats a figure of the starter set: the money slides plan with those directly."""
        return item.HasField("figure") and bool(self.figures.find(item.figure.metric))

    def best_figure(self, metric: str) -> BenchmarkFigure | None:
        """The figure of the idea's field, else of all industries, else the newest there is."""
        chosen = self.figures.best(metric, self.profile.benchmark_segment)
        if chosen is not None:
            return chosen
        newest = self.figures.find(metric)
        return newest[0] if newest else None

    def figure(self, metric: str, segment: str = "") -> BenchmarkFigure | None:
        """The newest figure of a metric whose segment contains the words."""
        for candidate in self.figures.find(metric):
            if segment.casefold() in candidate.segment.casefold():
                return candidate
        return None

    def products(self) -> list[common_pb2.EvidenceItem]:
        """Existing products among the evidence, best first, each name once."""
        seen: set[str] = set()
        items = []
        for item in self.evidence:
            key = item.product.name.casefold().strip()
            if key and key not in seen and item.stance != common_pb2.STANCE_UNSPECIFIED:
                seen.add(key)
                items.append(item)
        return items

    def uses_language_models(self) -> bool:
        """Whether the idea's own words say that it runs on language models."""
        tokens = set(self.profile.idea.lower().replace("-", " ").replace(",", " ").split())
        return bool(tokens & {"ai", "llm", "llms", "gpt", "agent", "agents", "chatbot", "copilot", "genai"})
