"""Which World Bank indicator says something about an idea: a table of fields, their words, and the indicator.

Ids are those of the World Development Indicators (databank.worldbank.org); each has a value for the whole world.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.v1 import common_pb2
from services.evidence.domain.model import Query
from services.evidence.domain.words import PhraseIndex, phrase

_SIZE = common_pb2.CLAIM_KIND_MARKET_SIZE
_AUDIENCE = common_pb2.CLAIM_KIND_AUDIENCE
_TIMING = common_pb2.CLAIM_KIND_TIMING


@dataclass(frozen=True)
class Indicator:
    """A row: `words` are looked for in the claim's terms, the idea's keywords and category, and the idea itself."""

    id: str
    kinds: frozenset[int]
    words: tuple[str, ...]
    # Completes "asked for because ...".
    why: str
    # Whether more of it means more demand for what is offered in the field.
    growth_helps: bool = False


def _row(id: str, kinds: tuple[int, ...], words: str, why: str, *, growth_helps: bool = False) -> Indicator:
    return Indicator(id, frozenset(kinds), tuple(word.strip() for word in words.split(",")), why, growth_helps)


# In the order of preference among rows that fit equally well.
INDICATORS: tuple[Indicator, ...] = (
    _row(
        "SH.XPD.CHEX.PC.CD",
        (_SIZE, _TIMING),
        "clinic, patient, hospital, healthcare, health care, medical, doctor, telemedicine, diagnosis",
        "the idea is about health care",
        growth_helps=True,
    ),
    _row(
        "SH.MED.PHYS.ZS",
        (_AUDIENCE,),
        "clinic, patient, hospital, healthcare, medical, doctor, physician",
        "the idea is about health care",
    ),
    _row(
        "SE.XPD.TOTL.GD.ZS",
        (_SIZE, _TIMING),
        "school, student, tutor, tutoring, teacher, education, classroom, homework",
        "the idea is about education",
        growth_helps=True,
    ),
    _row(
        "SE.SEC.ENRR",
        (_AUDIENCE,),
        "school, student, tutor, tutoring, teacher, homework, classroom",
        "the idea is about education",
    ),
    _row(
        "NV.AGR.TOTL.ZS",
        (_SIZE, _TIMING),
        "farm, farmer, crop, grower, agriculture, livestock, irrigation, orchard",
        "the idea is about farming",
        growth_helps=True,
    ),
    _row(
        "SL.AGR.EMPL.ZS",
        (_AUDIENCE,),
        "farm, farmer, crop, grower, agriculture, livestock, irrigation",
        "the idea is about farming",
    ),
    _row(
        "SP.POP.65UP.TO.ZS",
        (_AUDIENCE, _SIZE, _TIMING),
        "elderly, senior citizen, aging population, ageing population, caregiver, nursing home, dementia, retiree",
        "the idea is about old people",
        growth_helps=True,
    ),
    _row(
        "SP.POP.0014.TO.ZS",
        (_AUDIENCE, _SIZE),
        "child, children, kid, parent, toddler, childcare, daycare, kindergarten",
        "the idea is about children",
    ),
    _row(
        "SP.DYN.CBRT.IN",
        (_TIMING,),
        "baby, newborn, pregnancy, pregnant, maternity, toddler",
        "the idea is about births",
        growth_helps=True,
    ),
    _row(
        "ST.INT.ARVL",
        (_AUDIENCE, _SIZE, _TIMING),
        "travel, traveler, traveller, tourist, tourism, hotel, vacation, trip",
        "the idea is about travel",
        growth_helps=True,
    ),
    _row(
        "FX.OWN.TOTL.ZS",
        (_AUDIENCE, _TIMING),
        "bank account, banking, payment, wallet, remittance, microfinance, unbanked",
        "the idea is about money matters of many people",
        growth_helps=True,
    ),
    _row(
        "FS.AST.PRVT.GD.ZS",
        (_SIZE,),
        "loan, lending, consumer credit, credit score, mortgage, borrower, banking",
        "the idea is about credit",
    ),
    _row(
        "EG.FEC.RNEW.ZS",
        (_SIZE, _TIMING),
        "solar, renewable, wind power, wind farm, energy storage, clean energy, photovoltaic",
        "the idea is about renewable energy",
        growth_helps=True,
    ),
    _row(
        "EG.USE.ELEC.KH.PC",
        (_SIZE, _TIMING, _AUDIENCE),
        "electricity, energy, power grid, heating, charging station",
        "the idea is about energy",
        growth_helps=True,
    ),
    _row("ER.H2O.FWTL.ZS", (_SIZE,), "water supply, drinking water, groundwater, water use", "the idea is about water"),
    _row(
        "SP.URB.TOTL.IN.ZS",
        (_AUDIENCE, _SIZE, _TIMING),
        "city, urban, commuter, apartment, tenant, landlord, parking, public transport, smart city",
        "the idea is about life in cities",
        growth_helps=True,
    ),
    _row(
        "IS.AIR.PSGR",
        (_SIZE, _TIMING, _AUDIENCE),
        "airline, airport, flight booking, air passenger",
        "the idea is about flying",
        growth_helps=True,
    ),
    _row(
        "NE.TRD.GNFS.ZS",
        (_SIZE, _TIMING),
        "import duty, importer, exporter, customs, freight, cargo",
        "the idea is about trade",
        growth_helps=True,
    ),
    _row(
        "SL.EMP.SELF.ZS",
        (_AUDIENCE, _SIZE),
        "freelancer, self-employed, gig worker, sole trader, small business owner, entrepreneur, founder",
        "the idea is for people who work for themselves",
    ),
    _row(
        "SL.UEM.TOTL.ZS",
        (_AUDIENCE, _TIMING),
        "job seeker, unemployed, unemployment, recruiting, recruitment, job search, career",
        "the idea is about finding work",
    ),
    _row(
        "GB.XPD.RSDV.GD.ZS",
        (_SIZE, _TIMING),
        "laboratory, research and development, drug discovery, biotech, bioreactor, scientist",
        "the idea is about research",
        growth_helps=True,
    ),
    _row(
        "NV.IND.MANF.ZS",
        (_SIZE, _TIMING),
        "factory, manufacturing, manufacturer, production line, machine tool, industrial robot",
        "the idea is about manufacturing",
        growth_helps=True,
    ),
    _row(
        "BX.GSR.CCIS.ZS",
        (_SIZE, _TIMING),
        "software development, software developer, developer tool, it service, cloud computing, data center",
        "the idea is about services of information technology",
        growth_helps=True,
    ),
    _row(
        "NE.CON.PRVT.PC.KD",
        (_SIZE, _TIMING),
        "household, consumer, grocery, food waste, recipe, shopper, retail, shopping",
        "the idea is about what households spend",
        growth_helps=True,
    ),
    _row(
        "IT.NET.USER.ZS",
        (_AUDIENCE, _TIMING),
        "mobile app, smartphone, online, website, social network, web app, marketplace, streaming",
        "the idea is used over the Internet",
        growth_helps=True,
    ),
)

# A word of the claim's terms says more about the field than one in the idea's sentence, which may only be an
# example ("harvest now, decrypt later" is not about farming): it takes two of those.
_TERM_WEIGHT, _IDEA_WEIGHT = 2, 1
_SCORE_MIN = 2


def indicator_for(query: Query) -> Indicator | None:
    """Return the row that fits the query best, None where no row of its kind does."""
    terms = PhraseIndex(" . ".join((*query.terms, *query.idea.keywords, query.idea.category)))
    idea = PhraseIndex(query.idea.text)
    best, best_score = None, _SCORE_MIN - 1
    for row in INDICATORS:
        if query.kind not in row.kinds:
            continue
        words = [phrase(word) for word in row.words]
        score = sum(_TERM_WEIGHT * (word in terms) + _IDEA_WEIGHT * (word in idea) for word in words)
        if score > best_score:
            best, best_score = row, score
    return best
