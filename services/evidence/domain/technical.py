"""What kind of thing an idea is about, where that decides which sources have something to say.

Package registries know software for people who build software, code hosts any software, preprints of physics and
computing what rests on a technique.
"""

from __future__ import annotations

import re

from pipeline.v1 import common_pb2
from services.evidence.domain.model import IdeaFacts
from services.evidence.domain.words import stem, stems

# Fields of business whose customers install packages.
CATEGORIES = frozenset({"developer-tools", "ai-infrastructure"})
# Forms that are no software: a code host knows nothing of them.
NO_SOFTWARE = frozenset({common_pb2.PRODUCT_FORM_HARDWARE, common_pb2.PRODUCT_FORM_SERVICE})

# Words that only people who build software use of a product. "API", "code" and "library" alone are not among
# them: clinics have codes and towns have libraries.
_WORDS = frozenset(
    stem(word)
    for word in """
    sdk npm pypi javascript typescript python golang rust kotlin kubernetes docker devops codebase compiler linter
    github gitlab graphql grpc webhook microservice backend frontend middleware terraform postgres sqlite nodejs
    """.split()
)
_PHRASES = re.compile(
    r"\b(open[- ]source (library|framework)|pull requests?|code review|unit tests?|source code|developer tools?"
    r"|for (software )?developers|command[- ]line|rest api"
    r"|(pip|npm) install|api (client|gateway|testing|documentation)|node\.js|ci/cd)\b",
    re.IGNORECASE,
)


# Words of ideas that stand or fall with a technique. What is merely sold through an app has none of them.
_TECHNIQUES = frozenset(
    stem(word)
    for word in """
    ai algorithm autonomous battery blockchain computing cryptography detect detection drone embedding encryption
    forecast genome gpt hydrogen laser learning llm llms neural nuclear optimization photonic photovoltaic prediction
    quantum radar reactor recognition robot robotics satellite semiconductor sensor simulation solar superconductor
    vision wearable
    """.split()
)
# "Machine learning" and "computer vision" are techniques, "learning French" and "a vision" are none.
_NEEDS_COMPANY = {stem("learning"): stem("machine"), stem("vision"): stem("computer")}


def rests_on_a_technique(idea: IdeaFacts) -> bool:
    """True where it depends on science or engineering whether it can be built: by words, or since it is technical."""
    said = set(stems(f"{idea.text}\n{' '.join(idea.keywords)}"))
    return is_technical(idea) or any(_NEEDS_COMPANY.get(word, word) in said for word in _TECHNIQUES & said)


def is_technical(idea: IdeaFacts) -> bool:
    """True where builders of software are the customers: by category, or by words that only they use."""
    if idea.category in CATEGORIES:
        return True
    text = f"{idea.text}\n{' '.join(idea.keywords)}"
    return bool(_WORDS & set(stems(text))) or _PHRASES.search(text) is not None


def is_software(idea: IdeaFacts) -> bool:
    """False for things that are sold as hardware or as a service of people."""
    return idea.product_form not in NO_SOFTWARE
