"""Words that point somewhere: up or down, good or bad, yes or no. Version 1, English only, stems of `domain.words`.

A claim and a passage about the same things agree or disagree mostly in these words. They are everyday English and
the language of studies, written for this project; each line is read by `domain.words.stem`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from services.evidence.domain.words import stem


def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in text.split())


UP = _stems("""
    increase increases increased increasing increasingly rise rises rose risen rising raise raises raised grow grows
    grew grown growing growth high higher highest more greater greatest larger largest bigger elevate elevated
    elevates elevation enhance enhanced enhances enhancement promote promotes promoted boost boosts boosted stimulate
    stimulates stimulated stimulation accelerate accelerated accelerates upregulate upregulated upregulates
    upregulation gain gains gained expand expands expanded expansion activate activates activated activation induce
    induces induced augment augmented strengthen strengthens strengthened extend extended longer faster doubled
    tripled surge surges soar soared rapid rapidly abundant overexpression overexpressed accumulate accumulated
    accumulates accumulation up upward drive drives drove heavier older stronger positive positively prolonged
    prolong excess excessive excessively hyper trigger triggers triggered amplify amplifies
""")
DOWN = _stems("""
    decrease decreases decreased decreasing reduce reduces reduced reducing reduction lower lowers lowered lowest low
    less fewer decline declines declined declining fall falls fell fallen drop drops dropped diminish diminished
    diminishes inhibit inhibits inhibited inhibition inhibitor suppress suppresses suppressed suppression impair
    impairs impaired impairment shrink shrinks shrank smaller smallest weaken weakens weakened weaker attenuate
    attenuated attenuates attenuation block blocks blocked blocking prevent prevents prevented prevention slow slows
    slower slowed shorten shortened shorter loss lose lost lacking deficient deficiency deficiencies deplete depleted
    depletion downregulate downregulated downregulates downregulation down downward cut cuts halve halved limit
    limits limited minimal abolish abolished abolishes abrogate abrogated ablation knockdown knockout decay
    antagonize repress represses repressed repression disrupt disrupts disrupted negative negatively inverse
    inversely lighter younger disappear vanish absent absence mitigate mitigates suppressor silence silencing
""")
GOOD = _stems("""
    improve improves improved improvement benefit benefits beneficial effective effectively effectiveness efficacy
    efficacious success successful succeed protect protects protected protection protective safe safer safety better
    best superior reliable reliably accurate accurately advantage advantages favorable favourable robust viable
    recover recovered recovery healthy well tolerated useful helpful valuable cheap affordable easy profitable works
    prefer preferred popular cure cured survive survival sensitive
""")
BAD = _stems("""
    worsen worsens worsened worse worst harm harms harmful ineffective inefficient fail fails failed failure toxic
    toxicity risk risky danger dangerous inferior poor poorly adverse unreliable inaccurate unsafe disadvantage
    useless worthless death deaths mortality die dies died disease damage damaged damages injury severe severity
    problem problems expensive costly difficult hard vulnerable resistant mistake mistakes error errors wrong cancer
    complication complications unstable
""")
# Prefixes and endings that turn a word into its opposite are left to the stems above; these turn what follows.
NEGATION = frozenset(
    """
    not no never without neither nor none nobody nothing cannot can't don't doesn't didn't isn't aren't wasn't weren't
    won't wouldn't couldn't shouldn't hasn't haven't hadn't hardly barely scarcely rarely seldom unable incapable lack
    lacks lacked lacking fails failed fail absence absent free instead rather unlikely independent independently
    insufficient neither unaffected unaltered unchanged regardless despite ruled excluded
""".split()
)
HEDGES = _stems("""
    may might could possibly perhaps potentially potential suggest suggests suggested suggesting appear appears
    appeared seem seems seemed likely hypothesize hypothesized hypothesis propose proposed speculate possible
    possibility presumably putative whether unclear unknown remains controversial preliminary probably maybe guess
    would should think believe
""")
FINDINGS = _stems("""
    found find finds finding findings show shows showed shown demonstrate demonstrates demonstrated demonstration
    reveal reveals revealed report reported conclude concluded conclusion conclusions result results resulted
    observed observe indicate indicates indicated confirm confirmed confirms identified identify significantly
    significant evidence measured associated association because therefore thus here
""")
METHODS = _stems("""
    aim aimed objective objectives methods method design setting background investigate investigated assess assessed
    evaluate evaluated evaluates examine examined examines study studied studies compare sought tested analysis
    analyses randomized enrolled recruited participants trial sample samples data using performed review
    collected included measure measurements determine determined purpose performed investigate goal
""")
COMPARISON = _stems("than compared versus vs relative comparison whereas while unlike contrast")
# Phrases that report that nothing was found.
NULL_EFFECT = re.compile(
    r"\b(?:no (?:\w+ ){0,3}(?:effects?|differences?|associations?|evidence|change|increase|decrease|benefits?"
    r"|improvement|reduction|relation(?:ship)?|correlation|impact|support|role|need|demand|problem)"
    r"|(?:not|n't) (?:\w+ ){0,2}(?:differ|different|associated|affect|change|significant|significantly|increase|reduce"
    r"|improve|alter|require[ds]?|necessary|sufficient|support|correlate\w*|involved|due)"
    r"|did not|does not|do not|failed to|similar (?:\w+ ){0,3}(?:between|in both|among)|independent of|unaffected by"
    r"|rather than|in contrast to)\b",
    re.IGNORECASE,
)

# What turns to its opposite at the beginning of a word: "ineffective", "non-responders", "unstable".
OPPOSITE_PREFIXES = frozenset("in im un non ir dis anti hypo hyper under over mis de".split())

DIRECTION: Mapping[str, float] = MappingProxyType({**dict.fromkeys(UP, 1.0), **dict.fromkeys(DOWN, -1.0)})
VALUE: Mapping[str, float] = MappingProxyType({**dict.fromkeys(GOOD, 1.0), **dict.fromkeys(BAD, -1.0)})
# What is said of things rather than names them.
RELATING = frozenset(DIRECTION) | FINDINGS | METHODS | HEDGES | COMPARISON
