"""Words that speak for or against an idea, as the criteria read them; plain data."""

from __future__ import annotations

import re

BUZZ = re.compile(
    r"\b(?:ai[- ]powered|ai[- ]driven|ai[- ]based|revolutionary|revolutioni[sz]\w+|innovative|cutting[- ]edge|"
    r"next[- ]gen(?:eration)?|"
    r"seamless(?:ly)?|disrupt\w*|game[- ]chang\w+|synerg\w+|holistic|world[- ]class|best[- ]in[- ]class|one[- "
    r"]stop|all[- ]in[- ]one|"
    r"blockchain[- ]based|web3|metaverse|smart|intelligent|unlock\w*|empower\w*|leverag\w+|solution|ecosystem|"
    r"uber for|airbnb for)\b",
    re.IGNORECASE,
)
NUMBER = re.compile(
    r"\d[\d.,]*\s*(?:%|percent|minutes?|hours?|days?|weeks?|months?|years?|employees|people|users|dollars|"
    r"euros|k|m|bn|million|billion)?|[$€£]\s?\d"
)
CONSEQUENCE = re.compile(
    r"\b(?:cost\w*|lose|loses|losing|lost|waste\w*|wasting|miss\w*|late|delay\w*|risk\w*|danger\w*|fail\w*|"
    r"slow\w*|expensive|hours?|money|"
    r"fine|fines|penalt\w+|crash\w*|fraud\w*|no-shows?|churn\w*|injur\w+|accident\w*|stress\w*|burn(?:out)?|"
    r"outages?|downtime|breach\w*|"
    r"overrun\w*|millions?|billions?|unpaid|forgotten|spoil\w*|vulnerab\w+|threat\w*|impossible)\b",
    re.IGNORECASE,
)
CONTRAST = re.compile(
    r"\b(?:instead of|rather than|unlike|without|before|the first|the only|no other|compared (?:to|with)|not "
    r"just|faster than|cheaper than|"
    r"so that|in under|within \d|guarantee\w*|real[- ]time|at the moment|while other)\b[^.,;]{0,50}",
    re.IGNORECASE,
)
GENERIC_AUDIENCE = frozenset(
    "people person user customer everyone anyone business company organization organisation individual "
    "consumer human member "
    "client enterprise firm world".split()
)
HARD_SCIENCE = re.compile(
    r"\b(?:fusion|plasma|tokamak|quantum (?:computer|sensor|network)\w*|cell therap\w+|gene (?:therapy|"
    r"editing)|crispr|hypersonic|orbital|satellites?|"
    r"spacecraft|autonomous (?:vehicles?|cars?|trucks?)|self-driving|humanoid|brain[- ]computer|solid-state "
    r"batter\w+|drug discovery|"
    r"bioreactors?|nanotech\w*|superconduct\w+|asteroid\w*|photonic\w*|neuromorphic|exoskeleton\w*|cultured "
    r"meat|carbon capture)\b",
    re.IGNORECASE,
)
DEMANDING = re.compile(
    r"\b(?:guarantee\w*|mathematically|fully autonomous|any language|every|all the world|predict\w* (?:the "
    r"future|stock\w*|earthquakes?)|"
    r"diagnos\w+|100 ?%|zero errors?|perfect(?:ly)?|real[- ]time|milliseconds?|instantly)\b",
    re.IGNORECASE,
)
PHYSICAL = re.compile(
    r"\b(?:drones?|robots?|sensors?|devices?|wearables?|hardware|satellites?|vehicles?|machines?|cameras?|3d[- "
    r"]print\w+)\b",
    re.IGNORECASE,
)
NARROW = re.compile(
    r"\b(?:fusion|space agenc\w+|central banks?|armies|constellation|hypersonic|tokamak|nuclear|"
    r"mega-constellation|space insurers?)\b",
    re.IGNORECASE,
)
PRICE = re.compile(
    r"[$€£]\s?\d|\b(?:subscription|per month|monthly|commission|per seat|freemium|pay[- ]per|licen[cs]\w+|fee|saas)\b",
    re.IGNORECASE,
)
HEAVY = frozenset({"health", "finance", "children", "aviation", "vehicle safety", "biosafety", "defence and "
"export control",
    "gambling",
    "space",
                    "alcohol, tobacco and drugs", "critical infrastructure"})  # fmt: skip
