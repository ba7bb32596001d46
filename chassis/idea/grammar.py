"""Cuts one sentence about a product into head, clauses and verb phrases; rules over closed word classes, no tagger.

"A scheduling tool | for small clinics | that reduces no-shows with automatic reminders": the head is what the thing
is, a clause begins at a marker word, and agreement tells whose clause it is ("clinics that lose" against "a tool
... that reduces").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from chassis.idea import words as w
from chassis.idea.lexicon import FORM_ADJECTIVES, FORM_HEADS, PLACES_AS_ACTORS
from chassis.idea.nouns import has_actor, names_a_trade
from chassis.idea.verbs import ENABLING, INFORMING, LOSING, MOSTLY_NOUNS
from chassis.idea.words import Token

_DESIGNED = frozenset(
    "designed built made created developed aimed intended meant tailored geared targeted dedicated focused".split()
)
_WITH = frozenset("using via through leveraging".split())
_WHEN = frozenset("before after when whenever while until once if as".split())
_SKIPPED_ADVERBS = frozenset(
    "automatically quickly easily simply instantly dynamically securely proactively mathematically seamlessly "
    "continuously never always also then only just better actively safely anonymously effortlessly directly "
    "specifically finally immediately gently secretly daily remotely really not no".split()
)

_LY_WORDS = frozenset("supply apply reply rely fly family assembly".split())


@dataclass(frozen=True)
class VerbPhrase:
    """What is done: base verb, adverb before it, and the words after it ("track", "", "expiry dates")."""

    base: str
    rest: str
    adverb: str = ""
    # For "help", "let", "tell": who is helped.
    audience: str = ""
    # Which clause it stood in: "relative", "infinitive", "by", "with", "participle", "where", "so", "who", "noun".
    clause: str = "relative"
    # The words of the idea.
    basis: str = ""
    # The whole in base form, with the enabling verb and its audience ("help households waste less food"); empty for
    # what only continues an enabling phrase.
    outer: str = ""

    def render(self, verb: str) -> str:
        """The phrase with its verb in the form that is given."""
        return " ".join(part for part in (self.adverb, verb, self.rest) if part)

    @property
    def base_form(self) -> str:
        """As after "to"."""
        return self.render(self.base)

    @property
    def gerund_form(self) -> str:
        """As after "by"."""
        return self.render(w.gerund(self.base))


@dataclass
class Clause:
    """One clause: its marker kind and its words without the marker."""

    kind: str
    tokens: list[Token]
    start: int = 0

    def text(self, source: str) -> str:
        """The words of the clause as they stand in the source."""
        return source[self.tokens[0].start : self.tokens[-1].end] if self.tokens else ""


@dataclass
class Sentence:
    """A parsed sentence: the head noun phrase (may be empty), its clauses in order, and the sentence itself."""

    source: str
    head: str = ""
    clauses: list[Clause] = field(default_factory=list)
    # The sentence's own verb form: "third" for a described product, "base" after "we", "gerund" for "Helping ...".
    subject: str = ""


def verb_form(tokens: Sequence[Token], index: int) -> tuple[str, str]:
    """(form, base verb) of the token: form is "third", "base", "gerund" or empty."""
    if index >= len(tokens):
        return "", ""
    word = tokens[index].lower
    if base := w.base_of_gerund(word):
        return "gerund", base
    if base := w.base_of_third(word):
        return "third", base
    if w.is_base_verb(word):
        return "base", word
    return "", ""


def skip_adverbs(tokens: Sequence[Token], index: int) -> int:
    """The index of the first token at or after `index` that is no adverb."""
    while index < len(tokens) - 1:
        word = tokens[index].lower
        is_adverb = word in _SKIPPED_ADVERBS or (word.endswith("ly") and word not in _LY_WORDS)
        if not is_adverb:
            break
        index += 1
    return index


# No honest sentence is longer, and the look for clauses takes the square of it.
SENTENCE_TOKENS_MAX = 250


def split_sentence(source: str) -> Sentence:
    """Parses one sentence whose lead-in was removed."""
    tokens = w.tokenize(source.rstrip(" .!?"))[:SENTENCE_TOKENS_MAX]
    result = Sentence(source)
    if not tokens:
        return result
    start = _subject(tokens, result)
    clauses = _clauses(tokens, start, has_head=not result.subject)
    if not result.subject and clauses and clauses[0].kind == "head":
        head = clauses.pop(0)
        result.head = head.text(source)
    result.clauses = [clause for clause in clauses if clause.tokens]
    return result


def _subject(tokens: list[Token], result: Sentence) -> int:
    """Recognises "We help ...", "It tracks ...", "Helping ...", "Track ...": a sentence that begins with its verb."""
    index = 0
    if tokens[0].lower in {"we", "i", "you", "they", "it", "users", "people", "customers"} and len(tokens) > 1:
        index = 1
        while index < len(tokens) - 1 and tokens[index].lower in w.AUXILIARIES | {
            "want",
            "to",
            "also",
            "would",
            "like",
        }:
            index += 1
    index = skip_adverbs(tokens, index)
    form, base = verb_form(tokens, index)
    if (
        form == "gerund"
        and index + 1 < len(tokens)
        and tokens[index].lower not in FORM_ADJECTIVES
        and not (_gerund_is_modifier(tokens, index) and verb_form(tokens, index + 2)[0] == "base")
    ):
        following = tokens[index + 1].lower
        if base in ENABLING or following in w.DETERMINERS or (
            base not in {"schedule", "book", "learn", "train", "plan", "budget", "tutor", "match", "track", "test"}
            and not any(t.lower in FORM_HEADS for t in tokens[index + 1 : index + 4])
        ):  # fmt: skip
            result.subject = "gerund"
            return index
    if form == "third" and (index > 0 or base in ENABLING):
        result.subject = "third"
        return index
    if form == "base" and (index > 0 or base in ENABLING or _imperative(tokens, index)):
        result.subject = "base"
        return index
    return 0


def _imperative(tokens: list[Token], index: int) -> bool:
    """Whether a base verb at the sentence's start is a command ("Find ...", "Track your ...") and not a noun."""
    if index + 1 >= len(tokens):
        return False
    word, following = tokens[index].lower, tokens[index + 1].lower
    if following in {"your", "the", "a", "an", "their", "all", "any", "every", "my"}:
        return True
    nearby = any(t.lower in FORM_HEADS for t in tokens[index + 1 : index + 4])
    return word not in MOSTLY_NOUNS and not nearby and following not in w.STOPWORDS and tokens[index + 1].is_word


def _clauses(tokens: list[Token], start: int, *, has_head: bool) -> list[Clause]:
    clauses = [Clause("head" if has_head else "relative", [])]
    index = start
    while index < len(tokens):
        kind, skip = _marker(tokens, index, clauses[-1])
        if kind:
            clauses.append(Clause(kind, []))
            index += skip
            continue
        clauses[-1].tokens.append(tokens[index])
        index += 1
    for clause in clauses:
        while clause.tokens and (not clause.tokens[-1].is_word or clause.tokens[-1].lower in w.CONJUNCTIONS):
            clause.tokens.pop()
        while clause.tokens and not clause.tokens[0].is_word:
            clause.tokens.pop(0)
    return [clause for clause in clauses if clause.tokens or clause.kind == "head"]


def _marker(tokens: list[Token], index: int, current: Clause) -> tuple[str, int]:
    """(kind of the clause that begins here, tokens to skip), or ("", 0)."""
    word = tokens[index].lower
    following = tokens[index + 1].lower if index + 1 < len(tokens) else ""
    in_head = current.kind == "head"
    begun = bool(current.tokens)
    previous = tokens[index - 1] if index else None
    asks = _inside_informing(current) or (previous is not None and previous.lower in w.PREPOSITIONS - {"in", "on"})
    if word == "which" and begun and asks and _asks_which(tokens, index):
        return "", 0
    if word in {"that", "which", "who"} and begun:
        return _relative(tokens, index, current)
    if in_head and previous is not None and _bare_verb(tokens, index, previous):
        return "relative", 0
    if (
        word == "for"
        and current.kind in {"instead", "without"}
        and has_actor([t.lower for t in tokens[index + 1 : index + 4]])
    ):
        return "for", 1
    if in_head and begun and (word == "for" or (word, following) == ("aimed", "at")):
        skip = 1 if word == "for" else 2
        at = skip_adverbs(tokens, index + skip)
        if verb_form(tokens, at)[0] == "gerund" and not _gerund_is_modifier(tokens, at):
            return "for-gerund", skip
        # "a platform for connect doctors with patients": written by somebody whose first language is another.
        if at + 1 < len(tokens) and tokens[at].lower in _NEVER_NOUNS:
            return "infinitive", skip
        return "for", skip
    if word in _DESIGNED and begun and in_head:
        at = skip_adverbs(tokens, index + 1)
        nxt = tokens[at].lower if at < len(tokens) else ""
        if nxt in {"to", "for", "around", "by", "with", "as", "on"}:
            return {"to": "infinitive", "for": "for"}.get(nxt, "with"), at - index + 1
    if word in {"targeting", "serving"} and begun and in_head:
        return "for", 1
    if word == "to" and begun and following and current.kind != "who" and not _inside_informing(current):
        at = skip_adverbs(tokens, index + 1)
        if verb_form(tokens, at)[0] == "base" and not _enabling_open(current):
            return "infinitive", 1
    if word == "by" and begun:
        at = skip_adverbs(tokens, index + 1)
        if verb_form(tokens, at)[0] == "gerund":
            return "by", 1
    if word in _WITH and begun:
        return "with", 1
    if word in {"powered", "driven", "based"} and following in {"by", "on"} and begun:
        return "with", 2
    if word in {"with", "of", "from"} and in_head and begun and word == "with":
        return "with", 1
    if word == "without" and begun:
        return "without", 1
    if (word, following) in {("instead", "of"), ("rather", "than")}:
        return "instead", 2
    if (word, following) in {("thanks", "to"), ("in", "which"), ("on", "which")} and begun:
        return ("with" if word == "thanks" else "where"), 2
    asked = previous is not None and verb_form(tokens, index - 1)[0] in {"base", "third"} and not in_head
    if word == "where" and begun and following != "to" and not _inside_informing(current) and not asked:
        return "where", 1
    if word == "so" and begun and following not in {"much", "many", "far"}:
        skip = 2 if following == "that" else 1
        return "so", skip
    if word in _WHEN and begun and following and not _inside_informing(current):
        if word == "as" and following != "soon":
            return "", 0
        return f"when:{word}", 1
    if word in {"because", "since"} and begun:
        return "because", 1
    return _participle(tokens, index, current, previous)


_NEVER_NOUNS = frozenset(
    "connect sell find improve create manage learn provide reduce protect detect identify help make get give keep "
    "send teach analyze analyse predict solve track".split()
)


def _asks_which(tokens: list[Token], index: int) -> bool:
    """ "shows tenants which appliance wastes power": a noun follows, so it is what they are shown, no new clause."""
    following = tokens[index + 1].lower if index + 1 < len(tokens) else ""
    return (
        bool(following)
        and following not in w.AUXILIARIES
        and (w.is_plural(following) or not w.base_of_third(following))
    )


def _bare_verb(tokens: list[Token], index: int, previous: Token) -> bool:
    """ "An app lets caregivers send photos": the verb of a whole sentence right behind its subject, a product."""
    if index + 1 >= len(tokens) or previous.lower not in FORM_HEADS or tokens[0].lower not in w.DETERMINERS:
        return False
    form, base = verb_form(tokens, index)
    following = tokens[index + 1]
    sure = base not in MOSTLY_NOUNS or following.lower in w.DETERMINERS
    return form == "third" and sure and following.is_word and following.lower not in w.AUXILIARIES | {"for", "of"}


def _relative(tokens: list[Token], index: int, current: Clause) -> tuple[str, int]:
    at = skip_adverbs(tokens, index + 1)
    form, base = verb_form(tokens, at)
    nxt = tokens[at].lower if at < len(tokens) else ""
    if nxt in {"is", "are"} and _ends_with_actor(current) and verb_form(tokens, at + 1)[0] == "gerund":
        # "people which is losing their keys"
        return "who", 1
    if nxt in w.AUXILIARIES:
        plural_aux = nxt in {"are", "have", "do", "don't", "can't", "cannot", "aren't", "were"}
        if (plural_aux or tokens[index].lower == "who") and _ends_with_actor(current):
            return "who", 1
        after = skip_adverbs(tokens, at + 1)
        if nxt in {"can", "will", "would", "could", "should", "may", "does"} and verb_form(tokens, after)[0] == "base":
            return "relative", after - index
        return "is", 1
    if form == "third" and tokens[index].lower == "who" and base in LOSING and _ends_with_actor(current):
        return "who", 1
    if form == "third" or (not form and nxt.endswith("s") and not nxt.endswith("ss")):
        return "relative", 1
    if form == "base":
        actor = _ends_with_actor(current)
        return ("who" if actor and current.kind in {"head", "for", "relative", "infinitive", "who"} else "relative"), 1
    return ("is", 1) if tokens[index].lower != "that" else ("", 0)


def _ends_with_actor(clause: Clause) -> bool:
    tail = [t for t in clause.tokens if t.is_word][-3:]
    return bool(tail) and has_actor([t.lower for t in tail])


def _inside_informing(clause: Clause) -> bool:
    """ "tells growers where to irrigate": what follows belongs to the verb."""
    return any(base in INFORMING or base in {"know", "see", "decide", "choose", "learn"} for base in _bases(clause))


def _enabling_open(clause: Clause) -> bool:
    """ "enables farmers to plan": the infinitive belongs to the open enabling verb."""
    bases = _bases(clause)
    return bool(bases) and (bases[-1] in ENABLING or bases[-1] in INFORMING) and clause.kind != "head"


def _bases(clause: Clause) -> list[str]:
    found = []
    for i, token in enumerate(clause.tokens):
        base = w.base_of_third(token.lower) or w.base_of_gerund(token.lower)
        before = clause.tokens[i - 1].lower if i else ""
        begins = i == 0 or before in {"to", "and"} or (w.is_plural(before) and has_actor([before]))
        if not base and begins and w.is_base_verb(token.lower):
            base = token.lower
        if base:
            found.append(base)
    return found


def _gerund_is_modifier(tokens: list[Token], index: int) -> bool:
    """ "for remote engineering teams", "for training providers": an -ing word before an actor is no verb."""
    following = [t.lower for t in tokens[index + 1 : index + 3] if t.is_word]
    return (
        bool(following)
        and (has_actor(following[:1]) or following[0] == "agents" or w.singular(following[0]) in PLACES_AS_ACTORS)
        and names_a_trade(tokens[index].lower)
    )


def _participle(tokens: list[Token], index: int, current: Clause, previous: Token | None) -> tuple[str, int]:
    """A gerund that begins a clause: after a comma, or right after the head of a product's form."""
    if previous is None or not current.tokens:
        return "", 0
    word = tokens[index].lower
    if tokens[index].text == "," and index + 1 < len(tokens):
        at = skip_adverbs(tokens, index + 1)
        if tokens[at].lower == "and":
            at = skip_adverbs(tokens, at + 1)
        if verb_form(tokens, at)[0] == "gerund" and not _in_gerund_list(current) and at + 1 < len(tokens):
            return "participle", 1
        return "", 0
    form, base = verb_form(tokens, index)
    last = len(tokens) - 1
    names_a_form = index + 1 == last and tokens[last].lower in FORM_HEADS
    if (
        form == "gerund"
        and current.kind == "head"
        and previous.lower in FORM_HEADS
        and index < last
        and not names_a_form
    ):
        if word in {"acting", "serving", "working", "featuring", "offering", "including"} and base in {"act", "serve"}:
            return "acting", 2 if tokens[index + 1].lower == "as" else 1
        return "relative", 0
    helps = form == "gerund" and current.kind in {"head", "for"} and has_actor([previous.lower])
    if helps and base in (ENABLING if current.kind == "head" else ENABLING | INFORMING):
        # "a dashboard for mayors showing which potholes ..."
        return "relative", 0
    return "", 0


def _in_gerund_list(clause: Clause) -> bool:
    return (
        bool(clause.tokens)
        and bool(w.base_of_gerund(clause.tokens[0].lower))
        and clause.kind in {"by", "for-gerund", "relative"}
    )
