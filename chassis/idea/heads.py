"""What the product's own name says: "clinic scheduling tool", "Uber for lawn mowing"."""

from __future__ import annotations

import re

from chassis.idea import nouns
from chassis.idea import words as w
from chassis.idea.grammar import Sentence, VerbPhrase
from chassis.idea.lexicon import FORM_ADJECTIVES, FORM_WORDS, NOMINALISATIONS, PLACES_AS_ACTORS
from chassis.idea.roles import Roles

# What single activities are done to, where the head does not say ("scheduling tool").
_GERUND_OBJECTS = {
    "scheduling": "appointments", "booking": "appointments", "budgeting": "spending", "invoicing": "invoices",
    "onboarding": "new members", "accounting": "accounts", "planning": "work", "billing": "bills",
    "management": "daily work", "hiring": "staff", "tracking": "progress", "translation": "speech",
    "tutoring": "lessons", "cleaning": "homes", "transcription": "speech", "parking": "cars", "carpooling": "rides",
}  # fmt: skip
# What a well-known company's name stands for: "Uber for lawn mowing".
_ANALOGUE_VERBS = {
    "uber": ("book", "{} on demand"), "airbnb": ("rent", "{}"), "tinder": ("match", "{}"), "netflix": ("stream", "{}"),
    "spotify": ("stream", "{}"), "etsy": ("sell", "{}"), "ebay": ("sell", "{}"), "duolingo": ("practise", "{}"),
    "strava": ("track", "{}"), "deliveroo": ("order", "from {}"), "doordash": ("order", "from {}"),
    "instacart": ("order", "from {}"), "vinted": ("sell", "second-hand {}"), "calendly": ("schedule", "{}"),
    "stripe": ("take", "{} payments"),
}  # fmt: skip
_PEOPLE_ARE_BOOKED = frozenset({"uber"})
_PEOPLE_MEET = frozenset({"tinder", "linkedin"})
# Who is hired for an hour or a job, so that "Uber for ..." is about ordering them.
PROVIDERS = frozenset(
    "walker sitter babysitter nanny cleaner housekeeper plumber electrician handyman mechanic groomer "
    "hairdresser barber stylist tutor driver courier mover painter gardener landscaper photographer "
    "caterer chef cook nurse caregiver carer massage therapist trainer dj bartender translator interpreter notary "
    "locksmith tailor carpenter roofer".split()
)
_OWNED_SOFTWARE = frozenset("software system crm saas suite management erp portal".split())
# Verbs whose object may be people: the first word of the head is then no owner ("tutor matching app").
_ABOUT_PEOPLE = frozenset("find recruit hire match validate detect rank screen vet".split())


def read_head(parsed: Sentence, roles: Roles) -> None:
    """Reads an activity, and sometimes whose it is, from the head's words before its form word."""
    head = parsed.head
    first = w.tokenize(head)[:1]
    if first and parsed.source.startswith(head):
        head = w.decapitalise(head)
    boxed = re.match(
        r"^(?:an?\s+)?[\w\s-]*\b(?:box|subscription|bouquet|kit|delivery)\s+of\s+(?P<what>.+)$", head, re.IGNORECASE
    )
    if boxed and not roles.mechanisms:
        _add(roles, "deliver", boxed["what"], head)
        return
    gathered = re.match(
        r"^(?:an?\s+)?(?:[\w-]+\s)*(?:communit(?:y|ies)|networks?|clubs?|groups?|forums?|meetups?|circles?)\s+(?:of|for)\s+"
        r"(?P<who>.+)$", parsed.source[:80].split(",")[0].rstrip(" ."), re.IGNORECASE,
    )  # fmt: skip
    if gathered and nouns.is_actor_phrase(re.split(r"\s(?=\w{3,}ing\b|who\b)", gathered["who"])[0]):
        roles.add_audience(gathered["who"], head)
    listed = re.match(
        r"^(?:an?\s+)?(?:[\w-]+\s)*(?:directory|database|catalogue?|collection|list|map|guide)\s+(?:of|to)\s+(?P<what>.+)$",
        head,
        re.IGNORECASE,
    )
    if listed and not roles.mechanisms:
        _add(roles, "list", listed["what"], head)
        return
    about = nouns.modifiers_without_form(head, FORM_WORDS, FORM_ADJECTIVES)
    if not about:
        return
    roles.about = about
    roles.things.append(about)
    roles.basis.setdefault("head", parsed.head)
    words = about.split()
    owner = words[0].lower()
    made = nouns.to_verb_phrase(about)
    form = head.split()[-1].lower()
    if made and not roles.mechanisms:
        verb, obj = made
        verb = {"account": "account for"}.get(verb, verb)
        if len(words) == 2 and nouns.is_actor(owner) and verb not in _ABOUT_PEOPLE:
            if not roles.audiences:
                roles.add_audience(w.plural(owner), about)
            obj = _GERUND_OBJECTS.get(words[-1].lower(), "")
        if obj:
            _add(roles, verb, obj, about)
    elif not roles.mechanisms and len(words) == 1 and form == "marketplace":
        verb = w.base_of_gerund(owner)
        agent = next((a for a in (f"{verb}er", f"{verb}r", verb) if verb and nouns.is_actor(a)), "")
        goods = [thing for thing in roles.things if thing != about]
        sought = w.plural(agent) if agent else f"{owner} {goods[0]}" if goods else w.plural(owner)
        _add(roles, "find", sought, about)
    elif not roles.mechanisms and owner in {"matchmaking", "dating"} and len(words) == 1:
        _add(roles, "match", roles.audiences[0] if roles.audiences else "members", about)
    elif not roles.mechanisms and len(words) == 1 and owner in _GERUND_OBJECTS:
        verb = w.base_of_gerund(owner) or NOMINALISATIONS.get(owner, "")
        if verb:
            _add(roles, verb, _GERUND_OBJECTS[owner], about)
    elif not roles.audiences and nouns.is_actor_phrase(about, lenient=True) and form in _OWNED_SOFTWARE:
        roles.add_audience(w.plural(about), about)
    elif not roles.audiences and len(words) > 1 and nouns.is_actor(owner) and not nouns.is_actor(words[-1].lower()):
        shop = len(words) > 2 and (nouns.is_actor(words[1].lower()) or words[1].lower() in PLACES_AS_ACTORS)
        roles.add_audience(w.plural(f"{owner} {words[1]}" if shop else owner), about)


def read_analogue(company: str, what: str, roles: Roles) -> None:
    """ "Uber for lawn mowing": what is done is known from the company, unless it is for people."""
    thing = nouns.clean(re.split(r"\s(?:that|which|who|by|with)\s|[.;!]", what)[0])
    thing, _, served = thing.partition(" for ")
    if served and nouns.is_actor_phrase(served, lenient=True):
        roles.add_audience(served, what)
    roles.things.append(thing)
    head = nouns.head_of(thing)
    if company in _PEOPLE_ARE_BOOKED and head in PROVIDERS:
        # "Uber for dog walkers": they are what is ordered; who orders follows from the field.
        _add(roles, "book", f"{thing} on demand", f"{company} for {thing}")
    elif company in _PEOPLE_MEET and (nouns.is_actor_phrase(thing) or w.is_plural(thing.split()[-1].lower())):
        roles.add_audience(thing, what)
        _add(roles, "match", f"{thing} with each other", f"{company} for {thing}")
        roles.set_problem(f"finding {thing}", f"{company} for {thing}", inferred=True)
    elif nouns.is_actor_phrase(thing):
        roles.add_audience(thing, what)
    elif company in _ANALOGUE_VERBS and not roles.mechanisms:
        verb, pattern = _ANALOGUE_VERBS[company]
        _add(roles, verb, pattern.format(thing), f"{company} for {thing}")


def _add(roles: Roles, verb: str, obj: str, basis: str) -> None:
    roles.mechanisms.append(VerbPhrase(verb, obj, clause="noun", basis=basis, outer=f"{verb} {obj}"))
