"""Cuts one sentence about a product into head, clauses and verb phrases; rules over closed word classes, no tagger.

"A scheduling tool | for small clinics | that reduces no-shows with automatic reminders": the head is what the thing is, a
clause begins at a marker word, and agreement tells whose clause it is ("clinics that lose" against "a tool ... that reduces").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from chassis.idea import words as w
from chassis.idea.lexicon import ACTORS, FORM_ADJECTIVES, FORM_HEADS
from chassis.idea.nouns import has_actor
from chassis.idea.verbs import ENABLING, INFORMING, MOSTLY_NOUNS
from chassis.idea.words import Token

_DESIGNED = frozenset(
    "designed built made created developed aimed intended meant tailored geared targeted dedicated focused".split()
)
_WITH = frozenset("using via through leveraging".split())
_WHEN = frozenset("before after when whenever while until once if as".split())
_EMPTY_ADVERBS = frozenset("also then just only simply easily really specifically".split())
_PARTICLES = frozenset("up out off down in away".split())
_SKIPPED_ADVERBS = frozenset(
    "automatically quickly easily simply instantly dynamically securely proactively mathematically seamlessly "
    "continuously never always also then only just better actively safely anonymously effortlessly directly "
    "specifically finally immediately gently secretly daily remotely really not no".split()
)


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

    @property
    def third_form(self) -> str:
        """As after "it"."""
        return self.render(w.third(self.base))


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
    # "that gamifies chores": an unknown verb where only a verb can stand is handled by the callers.
    return "", ""


def skip_adverbs(tokens: Sequence[Token], index: int) -> int:
    """The index of the first token at or after `index` that is no adverb."""
    while index < len(tokens) - 1:
        word = tokens[index].lower
        is_adverb = word in _SKIPPED_ADVERBS or (word.endswith("ly") and word not in {"supply", "apply", "reply", "rely", "fly", "family", "assembly"})  # fmt: skip
        if not is_adverb:
            break
        index += 1
    return index


def split_sentence(source: str) -> Sentence:
    """Parses one sentence whose lead-in was removed."""
    tokens = w.tokenize(source.rstrip(" .!?"))
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
    if form == "gerund" and index + 1 < len(tokens) and tokens[index].lower not in FORM_ADJECTIVES:
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
    if word in {"that", "which", "who"} and begun:
        return _relative(tokens, index, current)
    if word in {"for", "aimed"} and in_head and begun:
        if following == "at" or word == "for":
            skip = 2 if following == "at" else 1
            at = skip_adverbs(tokens, index + skip)
            if verb_form(tokens, at)[0] == "gerund" and not _gerund_is_modifier(tokens, at):
                return "for-gerund", skip
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
    if word == "where" and begun and following != "to" and not _inside_informing(current):
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


def _relative(tokens: list[Token], index: int, current: Clause) -> tuple[str, int]:
    at = skip_adverbs(tokens, index + 1)
    form, _ = verb_form(tokens, at)
    nxt = tokens[at].lower if at < len(tokens) else ""
    if nxt in w.AUXILIARIES:
        plural_aux = nxt in {"are", "have", "do", "don't", "can't", "cannot", "aren't", "were"}
        if (plural_aux or tokens[index].lower == "who") and _ends_with_actor(current):
            return "who", 1
        after = skip_adverbs(tokens, at + 1)
        if nxt in {"can", "will", "would", "could", "should", "may", "does"} and verb_form(tokens, after)[0] == "base":
            return "relative", after - index
        return "is", 1
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
        if not base and (i == 0 or clause.tokens[i - 1].lower in {"to", "and"}) and w.is_base_verb(token.lower):
            base = token.lower
        if base:
            found.append(base)
    return found


def _gerund_is_modifier(tokens: list[Token], index: int) -> bool:
    """ "for remote engineering teams", "for training providers": an -ing word before an actor is no verb."""
    following = [t.lower for t in tokens[index + 1 : index + 3] if t.is_word]
    return bool(following) and has_actor(following[:1]) and tokens[index].lower in {
        "engineering", "training", "manufacturing", "consulting", "marketing", "accounting", "building", "shipping",
        "aging", "ageing", "growing", "working", "mining", "farming", "housing", "trading", "teaching", "publishing",
        "advertising", "nursing", "banking", "cleaning", "catering", "buying", "testing", "operating", "data-sharing",
    }  # fmt: skip


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
        return "relative", 0 if not current.tokens else 0
    if form == "gerund" and current.kind == "head" and previous.lower in ACTORS and base in ENABLING:
        return "relative", 0
    return "", 0


def _in_gerund_list(clause: Clause) -> bool:
    return (
        bool(clause.tokens)
        and bool(w.base_of_gerund(clause.tokens[0].lower))
        and clause.kind in {"by", "for-gerund", "relative"}
    )


def verb_phrases(clause: Clause, source: str) -> list[VerbPhrase]:
    """The coordinated verb phrases of a clause ("identify, map, and block rogue agents": three, one object)."""
    return parse_verbs(clause.tokens, source, clause.kind)


def parse_verbs(tokens: list[Token], source: str, kind: str, form: str = "") -> list[VerbPhrase]:
    """The verb phrases of tokens that begin with a verb (adverbs may come first); empty when they do not."""
    lead = 0
    at = skip_adverbs(tokens, 0)
    while at < len(tokens) - 1 and tokens[at].lower in {"to", "and", "will", "can", "both", "you"}:
        lead = at + 1
        at = skip_adverbs(tokens, lead)
    if at >= len(tokens):
        return []
    found, base = verb_form(tokens, at)
    if not found and kind == "relative" and tokens[at].lower.endswith("s"):
        found, base = "third", tokens[at].lower.removesuffix("s")
    if not found or (form and found != form):
        return []
    starts = [lead, *_coordinated(tokens, at, found)]
    phrases: list[VerbPhrase] = []
    for number, begin in enumerate(starts):
        end = starts[number + 1] if number + 1 < len(starts) else len(tokens)
        piece = tokens[begin:end]
        while piece and (not piece[-1].is_word or piece[-1].lower in w.CONJUNCTIONS):
            piece = piece[:-1]
        verb_at = skip_adverbs(piece, 0)
        _, piece_base = verb_form(piece, verb_at)
        if not piece_base:
            piece_base = base
        adverb = " ".join(t.text for t in piece[:verb_at] if t.lower not in _EMPTY_ADVERBS)
        phrases.extend(_expand(piece, verb_at, piece_base, adverb, source, kind))
    return _share_object(phrases)


def _expand(piece: list[Token], verb_at: int, base: str, adverb: str, source: str, kind: str) -> list[VerbPhrase]:
    """One verb phrase, or what an enabling verb enables."""
    after = piece[verb_at + 1 :]
    rest = source[after[0].start : after[-1].end] if after else ""
    basis = source[piece[0].start : piece[-1].end] if piece else ""
    outer = " ".join(part for part in (adverb, base, rest) if part)
    if base in ENABLING or base in INFORMING:
        boundary = _audience_end(after, open_ended=base in ENABLING)
        if boundary:
            audience = source[after[0].start : after[boundary - 1].end]
            inner = after[boundary:]
            if inner and inner[0].lower == "to":
                inner = inner[1:]
            if base in ENABLING:
                nested = parse_verbs(inner, source, kind, form="base")
                if nested:
                    return [
                        VerbPhrase(
                            p.base,
                            p.rest,
                            p.adverb,
                            audience if i == 0 else p.audience,
                            kind,
                            basis,
                            "" if i else outer,
                        )
                        for i, p in enumerate(nested)
                    ]
            return [VerbPhrase(base, rest, adverb, audience, kind, basis, outer)]
    return [VerbPhrase(base, rest, adverb, "", kind, basis, outer)]


def _audience_end(tokens: list[Token], *, open_ended: bool = False) -> int:
    """Where the audience after "help" ends: before "to", a wh-word, or a base verb once an actor was named; 0: nobody."""
    seen_actor = False
    for index, token in enumerate(tokens):
        if index and seen_actor and token.lower in {"who", "that", "which"} and token.lower == "who":
            return index
        if index and (token.lower in w.SUBORDINATORS or token.lower == "to"):
            return index if seen_actor or (token.lower == "to" and open_ended) else 0
        if not token.is_word and index:
            return index if seen_actor else 0
        at = skip_adverbs(tokens, index)
        if index and at < len(tokens) and (seen_actor or tokens[index - 1].lower in w.PRONOUNS):
            word = tokens[at].lower
            boundary = w.is_base_verb(word) and has_actor([tokens[index - 1].lower])
            if (
                boundary
                or (w.is_base_verb(word) and word not in MOSTLY_NOUNS and seen_actor)
                or word in {"with", "on", "about", "of"}
                and boundary
            ):
                return index
        if index and token.lower in w.PREPOSITIONS and token.lower not in {"of", "with", "in", "at", "from"}:
            return index if seen_actor else 0
        seen_actor = seen_actor or has_actor([token.lower]) or token.lower in {"you", "anyone", "everyone", "them"}
    return len(tokens) if seen_actor and len(tokens) <= 4 else 0


def _coordinated(tokens: list[Token], at: int, form: str) -> list[int]:
    """Where further verbs of the same form begin after a comma or "and"."""
    starts: list[int] = []
    last = at
    for index in range(at + 1, len(tokens) - 1):
        if tokens[index].text != "," and tokens[index].lower not in {"and", "or", "&", "then"}:
            continue
        begin = index + 1
        if tokens[begin].lower in {"and", "or", "then"}:
            continue
        verb_at = skip_adverbs(tokens, begin)
        if verb_at >= len(tokens):
            continue
        found, base = verb_form(tokens, verb_at)
        if found != form or any(t.lower in {"where", "how", "what", "when"} for t in tokens[last:index]):
            continue
        bare = index == last + 1 or (index == last + 2 and tokens[index - 1].text == ",")
        following = tokens[verb_at + 1] if verb_at + 1 < len(tokens) else None
        ends = following is None or not following.is_word or following.lower in {"of", "from", "in", "and", "or"}
        if form == "base":
            accepted = (bare and index + 1 < len(tokens)) or (
                not ends and (base not in MOSTLY_NOUNS or following is not None and following.lower in w.DETERMINERS)
            )
        elif form == "third":
            accepted = bare or not ends
        else:
            accepted = not ends or (bare and following is None)
        if accepted:
            starts.append(begin)
            last = verb_at
    return starts


def _share_object(phrases: list[VerbPhrase]) -> list[VerbPhrase]:
    """Gives verbs without an object the object of the next ("filter and redact data")."""
    shared: list[VerbPhrase] = []
    for index, phrase in enumerate(phrases):
        bare = not phrase.rest or phrase.rest.lower() in _PARTICLES
        if bare and index + 1 < len(phrases):
            donor = next((p for p in phrases[index + 1 :] if p.rest), None)
            if donor is phrases[-1]:
                phrase = replace(phrase, rest=f"{phrase.rest} {donor.rest}".strip())
        shared.append(phrase)
    return shared


_LEAD_IN = re.compile(
    r"""^(?:(?:hi|hello|hey|so|well|ok(?:ay)?|basically)[,!.\s]+)*
    (?:
      (?:we|i|our\s+(?:team|startup|company))(?:\s+are|\s+am|'re|'m|’re|’m|\s+have|'d|\s+would)?\s*
      (?:(?:want(?:ing)?|plan(?:ning)?|like|going|hop(?:e|ing)|intend(?:ing)?|think(?:ing)?)\s+(?:to|of|about)\s+)?
      (?:build(?:ing)?|creat(?:e|ing)|develop(?:ing)?|mak(?:e|ing)|launch(?:ing)?|offer(?:ing)?|design(?:ing)?|start(?:ing)?
        |work(?:ing)?\s+on|sell(?:ing)?|provid(?:e|ing)|had\s+an\s+idea\s+for|have\s+an\s+idea\s+for|an\s+idea\s+for)\s+
    | (?:my|our|the|this|a|an)?\s*(?:startup\s+|business\s+|product\s+|app\s+)?(?:idea|concept|product|pitch|proposal)\s*
      (?:is|:|would\s+be|-|–|—|for)\s*(?:to\s+(?:build|create|make|develop|offer|launch)\s+)?(?:for\s+)?
    | (?:it's|it\s+is|this\s+is|there\s+(?:is|should\s+be)|what\s+if\s+there\s+(?:was|were)|imagine|introducing|presenting
        |(?:build|create|develop|make)(?:\s+(?:me|us))?|think\s+of)\s+(?=(?:a|an|the|our)\b)
    )""",
    re.IGNORECASE | re.VERBOSE,
)
# "Our app shows ...": what the app does follows; "It" keeps the sentence whole.
_OUR_PRODUCT = re.compile(
    r"^(?:our|my|the|this)\s+(?:new\s+)?(?:mobile\s+|web\s+)?(?:app|application|platform|tool|software|service|startup|company|product|"
    r"website|solution|system|marketplace|team)\s+(?=(?:\w+ly\s+)?(?:\w+s|will|can|would)\b)",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"^(?P<name>[A-Z][\w.'’-]*(?:\s[A-Z][\w.'’-]*){0,2})\s*(?:,\s*(?=an?\b)|:\s+|\s[–—-]\s+|\s(?:is|will\s+be|would\s+be)\s+(?=an?\b|the\b|like\b)"
    r"|\s(?=helps?\s|lets\s|connects\s|enables\s|allows\s))"
)
_NOT_A_NAME = frozenset(
    "it this that there he she they we i our my the a an idea problem solution what imagine startup people app platform "
    "tool software service help helps audience target market customers users name uber airbnb tinder".split()
)


def strip_lead_in(sentence: str) -> tuple[str, str]:
    """(sentence without what only introduces it, the product's name where the sentence gives one)."""
    name = ""
    match = _NAMED.match(sentence)
    if match:
        parts = match.group("name").lower().split()
        if parts[0] not in _NOT_A_NAME and parts[-1] not in _NOT_A_NAME and len(match.group("name")) > 2:
            name = match.group("name")
            sentence = sentence[match.end() :]
    if _OUR_PRODUCT.match(sentence):
        return _OUR_PRODUCT.sub("It ", sentence, count=1).strip(), name
    stripped = _LEAD_IN.sub("", sentence, count=1)
    return (stripped or sentence).strip(), name
