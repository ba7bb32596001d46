"""The words that speak for or against a claim, by kind of claim: version 1 of the rules, English only.

One pattern a line, read without regard to case, as whole words. They are what people write who talk about their
work and their money; `domain.stance` decides what a find of them means.
"""

from __future__ import annotations

import re

from pipeline.v1 import common_pb2


def _cues(lines: str) -> re.Pattern[str]:
    patterns = [line.strip() for line in lines.splitlines() if line.strip()]
    return re.compile(r"\b(?:" + "|".join(patterns) + r")(?!\w)", re.IGNORECASE)


_PROBLEM = _cues(r"""
    frustrat\w+
    annoy\w*
    hate[sd]?
    struggl\w+
    pain(?:ful)?
    nightmare
    wast(?:e[sd]?|ing)
    thr[eo]wn? (?:it |them |food )?(?:away|out)
    los(?:es?|t|ing|s|ses)
    cost(?:s|ing)? (?:us|me|them|the)
    difficult\w*
    hard to
    too (?:much|many|long|slow|late|expensive)
    problem\w*
    complain\w*
    forg[eo]t\w*
    miss(?:ed|es|ing)?
    wish (?:there|i|we)
    manual(?:ly)?
    error.?prone
    time.?consuming
    tedious
    fail(?:s|ed|ure|ures|ing)?
    no.?shows?
    shortage\w*
    fraud\w*
    scam\w*
    burden\w*
    delay\w*
    overwhelm\w+
    worr(?:y|ied|ies)
""")
_NO_PROBLEM = _cues(r"""
    not (?:really )?(?:a|an|the) (?:real |big )?(?:problem|issue)
    works? (?:just )?(?:fine|well|great)
    never (?:had|been) (?:a |an |any )?(?:problem|issue)s?
    no (?:real |big )?(?:problem|issue)s?
    (?:nobody|no one) (?:really )?(?:needs?|cares?)
    already solved
    non.?issue
    happy with
    good enough
    (?:solution|tool) (?:in search of|looking for) a problem
    don'?t need (?:an?|this|another)
    easy (?:enough|to do)
    hardly ever
""")
_AUDIENCE = _cues(r"""
    (?:i|we)(?:'d| would) (?:use|love|like|try|want)
    looking for
    sign(?:ed)? (?:me )?up
    need(?:s|ed)? (?:something|this|a tool|an app|help)
    most of (?:our|my|the)
    many (?:of )?(?:people|families|households|clinics|teams|companies|students|parents|farmers|founders|users)
    interested
    waiting list
""")
_NO_AUDIENCE = _cues(r"""
    (?:wouldn'?t|would not|won'?t) (?:use|try|want)
    (?:no one|nobody) (?:would|will|uses?|wants?)
    stopped using
    not interested
    don'?t (?:use|want|trust)
    deleted (?:it|the app)
    uninstall\w*
""")
_MARKET = _cues(r"""
    billion\w*
    grow(?:s|ing|th|n)?
    rising
    increas\w+
    large market
    millions of
    expand\w*
    demand (?:is|for)
""")
_NO_MARKET = _cues(r"""
    niche
    (?:tiny|small|shrinking|saturated|declining) market
    shrink\w*
    declin\w+
    market is (?:too )?(?:small|tiny|saturated)
""")
_OPEN_FIELD = _cues(r"""
    no (?:good |real |decent )?(?:tool|app|product|solution|alternative|software)s?
    (?:couldn'?t|could not|can'?t|cannot) find
    nothing (?:like|that|exists|out there)
    still (?:use|using) (?:excel|spreadsheets?|paper|pen)
    excel
    spreadsheets?
    by hand
    on paper
    built (?:my|our) own
""")
_CROWDED_FIELD = _cues(r"""
    already (?:exists?|do(?:es)? this|use|using|have)
    there (?:are|is) (?:already|plenty|many|tons|lots|dozens)
    competitors?
    incumbents?
    switch(?:ed)? (?:to|from)
    (?:we|i) use \w+
    crowded
    alternatives? (?:to|like|such)
    market leader
""")
_PAYS = _cues(r"""
    (?:would|'d|will|happily|gladly|willing to|happy to) pay
    (?:we|i|they) pay
    paid (?:for|\$|€|£)
    paying (?:for|customers?)
    worth (?:it|every|the money|paying)
    subscri(?:be|bed|ber|bers|ption)
    budget (?:for|of)
    (?:saves?|saved) (?:us|me)
    purchase[sd]?
""")
_DOES_NOT_PAY = _cues(r"""
    (?:wouldn'?t|would not|won'?t|will not|not willing to|never) pay
    too expensive
    (?:for|is|it'?s) free
    free (?:alternative|version|tool)s?
    not worth
    overpriced
    can'?t afford
    cancel(?:l?ed)?
    no budget
    price.?sensitive
""")
_FEASIBLE = _cues(r"""
    (?:we|i) built
    works? (?:well|reliably|great)
    accura(?:te|cy)
    open.?source
    prototype
    in production
    proven
    possible
    api
    integrat\w+
    trained
""")
_NOT_FEASIBLE = _cues(r"""
    impossible
    infeasible
    unreliab\w+
    inaccura\w+
    false positives?
    doesn'?t (?:work|scale)
    not accurate
    too (?:hard|complex|slow)
    regulat\w+
    liabilit\w+
    hallucinat\w+
    privacy (?:concern|law|issue)\w*
""")
_RIGHT_TIME = _cues(r"""
    grow(?:s|ing|th|n)?
    rising
    increas\w+
    new (?:law|rule|regulation)s?
    mandat\w+
    adopt\w*
    since (?:the )?(?:pandemic|covid|20\d\d)
    trend\w*
    accelerat\w+
    now (?:cheap|possible|affordable)
    requires? by 20\d\d
""")
_WRONG_TIME = _cues(r"""
    declin\w+
    shrink\w*
    hype
    dead
    too (?:early|late)
    fad
    peaked
    slow(?:ing|ed) down
    banned
    shut(?:ting)? down
    fallen
    drop(?:ped|ping)?
""")

# For each kind of claim: the words that speak for it, and those that speak against it.
TEXT_CUES: dict[int, tuple[re.Pattern[str], re.Pattern[str]]] = {
    common_pb2.CLAIM_KIND_PROBLEM: (_PROBLEM, _NO_PROBLEM),
    common_pb2.CLAIM_KIND_AUDIENCE: (_AUDIENCE, _NO_AUDIENCE),
    common_pb2.CLAIM_KIND_MARKET_SIZE: (_MARKET, _NO_MARKET),
    common_pb2.CLAIM_KIND_COMPETITION: (_OPEN_FIELD, _CROWDED_FIELD),
    common_pb2.CLAIM_KIND_WILLINGNESS_TO_PAY: (_PAYS, _DOES_NOT_PAY),
    common_pb2.CLAIM_KIND_FEASIBILITY: (_FEASIBLE, _NOT_FEASIBLE),
    common_pb2.CLAIM_KIND_TIMING: (_RIGHT_TIME, _WRONG_TIME),
}
