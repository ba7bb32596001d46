"""What was found in an idea, with the words it rests on."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from chassis.idea import nouns, pains
from chassis.idea import words as w
from chassis.idea.grammar import VerbPhrase

AUDIENCES_MAX = 5


MECHANISMS_MAX = 6
# "nurses fed up with double shifts": what follows is the problem.
_WEARY = re.compile(r"\s(?:sick and tired|tired|sick|weary|fed up)\s(?:of|with)\b", re.IGNORECASE)


@dataclass
class Roles:
    """What was found; phrases are lower-case at their start, without final stops. `basis` is keyed by profile field."""

    head: str = ""
    name: str = ""
    main: str = ""
    audiences: list[str] = field(default_factory=list)
    problem: str = ""
    problem_inferred: bool = False
    solution: str = ""
    solution_inferred: bool = False
    # What users get to do in the end, as a verb phrase in base form ("waste less food", "find tutors").
    goal: str = ""
    # Who is sold or handed something by the audience ("farmers sell vegetables to restaurants"): the other side.
    handed_to: str = ""
    # Sides of a match, where both are people: a marketplace.
    sides: int = 0
    # How it works, then what it achieves.
    mechanisms: list[VerbPhrase] = field(default_factory=list)
    outcomes: list[VerbPhrase] = field(default_factory=list)
    # Extra feature titles read off single words ("vetted tutors" -> "Vet tutors"), each with its words.
    extras: list[tuple[str, str]] = field(default_factory=list)
    # Noun phrases that were named as subject or object, for entities and keywords.
    things: list[str] = field(default_factory=list)
    # What the head says about its subject ("startup idea validation").
    about: str = ""
    labelled: bool = False
    # The sentence or clause that the problem was read from.
    pain: str = ""
    pain_sentences: list[str] = field(default_factory=list)
    basis: dict[str, str] = field(default_factory=dict)

    def add_audience(self, phrase: str, basis: str = "") -> None:
        """Adds a cleaned audience, unless it is a pronoun or already there."""
        cleaned = nouns.clean(_WEARY.split(re.sub(r"\s+", " ", phrase))[0])
        if self.labelled:
            titled = [x for x in cleaned.split() if re.match(r"^[A-Z][a-z]+$", x)]
            cleaned = w.decapitalise(cleaned)
            if nouns.is_actor_phrase(cleaned, lenient=True) and (
                len(titled) > 1 or (titled and titled[-1] == cleaned.split()[-1])
            ):
                cleaned = " ".join(
                    x.lower() if x in titled and x.lower() not in w.PROPER else x for x in cleaned.split()
                )
        cleaned = re.sub(
            r"^(?:vetted|verified|certified|screened|qualified|trusted|trained|the right|suitable|other|fellow)\s+",
            "",
            cleaned,
        )
        cleaned = re.sub(
            r"^(?:many|most|some|busy people like|people like|all|any|every|each|your|our)\s+",
            "",
            cleaned,
            flags=re.IGNORECASE,
        )
        words = cleaned.lower().split()
        if not words or words[-1] in w.PRONOUNS or words[0] in w.PRONOUNS or len(words) > 12:
            return
        head = nouns.head_of(cleaned)
        one = cleaned.islower() and words[-1] == head and nouns.is_actor(head) and not w.is_plural(head)
        if one and w.plural(head) != head and head not in {"military", "government", "defense", "defence", "pharma"}:
            cleaned = w.plural(cleaned)
        if cleaned.lower() not in {a.lower() for a in self.audiences}:
            self.audiences.append(cleaned)
            self.basis.setdefault("audiences", w.clip(basis or phrase.strip(), 160))

    def set_problem(self, phrase: str, basis: str, *, inferred: bool = False) -> None:
        """Sets the problem once; a stated one replaces an inferred one."""
        cleaned = nouns.without_adverbs(pains.shorten(w.decapitalise(phrase.strip())))
        if not cleaned or (self.problem and (inferred or not self.problem_inferred)):
            return
        self.problem, self.problem_inferred = cleaned, inferred
        self.basis["problem"] = w.clip(basis.strip(" .") or cleaned, 200)
