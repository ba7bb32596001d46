"""Verb phrases of a clause: coordinated verbs, shared objects, and who an enabling verb enables."""

from __future__ import annotations

from dataclasses import replace

from chassis.idea import words as w
from chassis.idea.grammar import Clause, VerbPhrase, skip_adverbs, verb_form
from chassis.idea.nouns import has_actor
from chassis.idea.verbs import ENABLING, INFORMING, MOSTLY_NOUNS
from chassis.idea.words import Token

_EMPTY_ADVERBS = frozenset("also then just only simply easily really specifically".split())
_PARTICLES = frozenset("up out off down in away aside".split())


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
    if not found and kind == "relative" and tokens[at].lower.endswith("s") and not has_actor([tokens[at].lower]):
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
    if base == "make" and after and after[0].lower == "sure":
        # "makes sure that new hires get a laptop" helps them get it.
        after = after[2:] if len(after) > 1 and after[1].lower == "that" else after[1:]
    if base in ENABLING or base in INFORMING:
        boundary = _audience_end(after, open_ended=base in ENABLING - {"give"})
        if boundary:
            audience = source[after[0].start : after[boundary - 1].end]
            inner = after[boundary:]
            if inner and inner[0].lower == "to":
                inner = inner[1:]
            if base in ENABLING:
                nested = parse_verbs(inner, source, kind, form="base")
                if not nested and boundary < len(after) - 1 and _unknown_verb(after, boundary):
                    said = source[inner[1].start : inner[-1].end]
                    nested = [VerbPhrase(inner[0].lower, said, clause=kind, basis=basis)]
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
    """Where the audience after "help" ends: before "to", a wh-word, or a base verb after an actor; 0: nobody."""
    seen_actor = False
    for index, token in enumerate(tokens):
        if index and seen_actor and token.lower in {"who", "that", "which"} and token.lower == "who":
            return index
        if index and (token.lower in w.SUBORDINATORS or token.lower == "to"):
            return index if seen_actor or (token.lower == "to" and open_ended) else 0
        if index and seen_actor and token.lower in w.DETERMINERS:
            return index
        if not token.is_word and index:
            return index if seen_actor else 0
        at = skip_adverbs(tokens, index)
        if index and at < len(tokens) and (seen_actor or tokens[index - 1].lower in w.PRONOUNS):
            word = tokens[at].lower
            boundary = w.is_base_verb(word) and has_actor([tokens[index - 1].lower])
            if (
                boundary
                or (w.is_base_verb(word) and word not in MOSTLY_NOUNS and seen_actor)
                or (word in {"with", "on", "about", "of"} and boundary)
            ):
                return index
        if index and open_ended and _unknown_verb(tokens, index):
            return index
        if index and token.lower in w.PREPOSITIONS and token.lower not in {"of", "with", "in", "at", "from"}:
            return index if seen_actor else 0
        seen_actor = seen_actor or has_actor([token.lower]) or token.lower in {"you", "anyone", "everyone", "them"}
    return len(tokens) if seen_actor and len(tokens) <= 4 else 0


def _unknown_verb(tokens: list[Token], index: int) -> bool:
    """ "help freelancers set aside the money": no known verb, but it stands between people and a particle or object."""
    word, before = tokens[index].lower, tokens[index - 1].lower
    following = tokens[index + 1].lower if index + 1 < len(tokens) else ""
    plain = tokens[index].is_word and word not in w.STOPWORDS and not w.is_plural(word)
    open_to = following in w.DETERMINERS or following in _PARTICLES
    return plain and open_to and w.is_plural(before) and has_actor([before])


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
        if found != form:
            continue
        asked = any(t.lower in {"where", "how", "what", "when", "which"} for t in tokens[last:index])
        if asked and (form != "third" or base not in INFORMING | ENABLING):
            continue
        bare = index == last + 1 or (index == last + 2 and tokens[index - 1].text == ",")
        following = tokens[verb_at + 1] if verb_at + 1 < len(tokens) else None
        ends = following is None or not following.is_word or following.lower in {"of", "from", "in", "and", "or"}
        if form == "base":
            accepted = (bare and index + 1 < len(tokens)) or (
                not ends and (base not in MOSTLY_NOUNS or (following is not None and following.lower in w.DETERMINERS))
            )
        elif form == "third":
            # "their laptop and accounts on day one": a plural noun.
            noun = base in MOSTLY_NOUNS and following is not None and following.lower in w.PREPOSITIONS
            accepted = bare or not (ends or noun)
        else:
            accepted = not ends or (bare and following is None)
        if accepted:
            starts.append(begin)
            last = verb_at
    return starts


def _share_object(phrases: list[VerbPhrase]) -> list[VerbPhrase]:
    """Gives verbs without an object the object of the next ("filter and redact data")."""
    shared: list[VerbPhrase] = []
    for index, said in enumerate(phrases):
        phrase = said
        bare = not phrase.rest or phrase.rest.lower() in _PARTICLES
        if bare and index + 1 < len(phrases):
            donor = next((p for p in phrases[index + 1 :] if p.rest), None)
            if donor is phrases[-1]:
                phrase = replace(phrase, rest=f"{phrase.rest} {donor.rest}".strip())
        shared.append(phrase)
    return shared
