"""Fields of law and safety that an idea touches, with the words that led there and what to clear first."""

from __future__ import annotations

import re
from typing import NamedTuple

from pipeline.v1 import common_pb2 as pb


class _Rule(NamedTuple):
    field: str
    pattern: str
    advice: str
    # A second pattern that must be in the idea as well; empty: none.
    only_with: str = ""


_PERSONAL = (
    r"\b(?:app|users?|customers?|patients?|students?|households?|people|employees?|candidates?|members?|"
    r"platform|marketplace|families|"
    r"parents?|clinics?|tracks?|tracking|profiles?)\b"
)
_RULES = (
    _Rule("health", r"\b(?:patients?|clinics?|clinical|doctors?|physicians?|hospitals?|medical|medications?|"
    r"prescriptions?|therap\w+|"
          r"diagnos\w+|symptoms?|mental health|health ?care|health data|health records?|dent(?:al|ists?)|"
          r"nurs(?:es?|ing)|diabet\w+|blood|"
          r"pharmac\w+|surg(?:ery|eries|eons?|ical)|drug discovery|physiotherap\w+|elderly care|caregivers?|"
          r"dementia|chronic|implants?|hay fever|asthma\w*|allergic|pollen|"
          r"implantable|telehealth|telemedicine|depress\w+|anxiety|cancer|oncology|pregnan\w+|longevity|"
          r"medicines?|fertility|midwi(?:fe|ves)|physios?|carers?|pills?|glucose|insulin|opticians?|podiatr\w+|vaccin\w+|"
          r"care homes?|hearing aids?|wounds?|paramedics?)\b",
          "Clear how health data is held (HIPAA in the US, GDPR article 9 in the EU) and whether the product "
          "counts as a medical device, "
          "before the first patient record is stored."),
    _Rule("finance", r"\b(?:payments?|pay(?:s|ing)? (?:out|bills|invoices)|invoic(?:es?|ing)|(?<!food )banks?|banking|"
    r"lend(?:ers?|ing)|lends? (?:money|cash)|direct debits?|card readers?|cashless|bookkeep\w+|"
    r"(?:rent|security|rental) deposits?|split(?:s|ting)? (?:the )?(?:rent|bills?|costs?)|loans?|credit "
          r"(?:score|card|risk)s?|insur(?:ance|ers?|ing)|invest(?:s|ing|ments?|ors?)?|crypto(?:s|currency|"
          r"currencies)?|wallets?|remittances?|pensions?|mortgages?|"
          r"trading|payroll|tax(?:es)?|escrow|crowdfund\w*|financial (?:data|advice|"
          r"institutions?|companies)|hft|"
          r"money transfers?|carbon credits?|accounts payable|pocket money|savings)\b",
          "Clear whether holding or moving money, giving financial advice or reading bank data needs a licence "
          "(PSD2 in the EU, state money "
          "transmitter rules in the US), and who answers for a wrong decision."),
    _Rule("children", r"\b(?:child|children|kids?|toddlers?|bab(?:y|ies)|teens?|teenagers?|minors|under-?age|"
    r"pupils?|high[- ]school\w*|"
          r"(?:primary|elementary|middle|secondary) schools?|school (?:students?|events?|runs?|trips?)|k-?12|"
          r"schoolchildren|preschool\w*|nursery|"
          r"nurseries|daycare|"
          r"kindergartens?|babysitters?|au pairs?|childminders?|schoolkids|child care|"
          r"(?:child|baby|booster|car) seats?)\b",
          "Clear parental consent (COPPA under 13 in the US, GDPR article 8 in the EU), and the vetting of "
          "every adult who meets a minor."),
    _Rule("aviation", r"\b(?:drones?|uavs?|unmanned aircraft|evtols?|aircraft|aviation|airspace|flying|"
    r"aerospace|hypersonic)\b",
          "Clear pilot licences, registration and flight permission (FAA part 107 in the US, EASA open or "
          "specific category in the EU), and "
          "insurance, before the first flight."),
    _Rule("space", r"\b(?:satellites|satellite (?:\w+ )?(?:operators?|constellations?|data|images?|imagery|"
          r"links?|nodes?)|"
    r"space (?:imagery|agenc(?:y|ies))|earth observation|orbit(?:al|s)?|spacecraft|low earth orbit|"
          r"launch vehicles?|space debris)\b",
          "Clear launch, spectrum and remote sensing licences (FAA, FCC and ITU filings) and liability for "
          "damage in orbit."),
    _Rule("employment", r"\b(?:recruit\w*|hiring|hires?|job (?:seekers?|candidates?|applicants?)|candidates?|"
    r"cvs?|resumes?|employees?|"
          r"payroll|shift workers?|gig workers?|workforce|"
          r"(?:hir\w+|recruit\w*|book\w*) (?:\w+ ){0,2}"
          r"freelancers?|"
          r"(?:plan|plans|planning|schedul\w+) (?:\w+ )?shifts|"
          r"shift plan\w*|hr (?:teams?|departments?|managers?)|labou?r laws?|staffing|performance reviews?|"
          r"temp workers?)\b",
          "Clear equal-treatment and worker-status rules; automated screening of people needs a bias audit in "
          "some places and is high-risk "
          "under the EU AI Act."),
    _Rule("legal", r"\b(?:legal (?:advice|documents?|help|aid|services?|contracts?)|lawyers?|attorneys?|law "
    r"firms?|lawsuits?|court|"
          r"contract review|litigation|divorce|immigration|visa applications?|wills?\b(?= writing| and)|"
          r"paralegals?)\b",
          "Clear the line to the unauthorised practice of law, and confidentiality of what clients upload."),
    _Rule("food safety", r"\b(?:expir(?:y|ed|es|ation|ing)|allerg\w+|food safety|leftovers|surplus food|"
    r"leftover (?:food|meals?|bread|ingredients?|past\w+|dish\w+|vegetables?)|(?:food|gluten|lactose) intoleran\w+|"
    r"coeliacs?|celiacs?|raw milk|"
    r"home[- ]cook\w*|meal kits?|"
          r"(?:sell|sells|selling|resell|resells|supply|supplies|deliver|"
          r"delivers) [^.!?]{0,40}\b(?:canteens?|vegetables?|"
          r"fruits?|meat|cheeses?|honey)|"
          r"food delivery|cultured meat|catering|dietary|restaurants? surplus|food donations?|food banks?)\b",
          "Clear what is promised about food that is past its date or holds allergens, and who is liable; "
          "where food is sold or handed on, "
          "food business registration applies."),
    _Rule("pesticides", r"\b(?:pesticides?|herbicides?|insecticides?|fungicides?|spray(?:s|ing)?)\b",
          "Clear who may advise on or apply crop protection: certified advisers and applicators, label law, "
          "and drift liability.",
          r"\b(?:farm\w*|crops?|field|fields|growers?|vineyards?|orchards?|weeds?|agricultur\w*|plants?)\b"),
    _Rule("alcohol, tobacco and drugs", r"\b(?:alcohol|wines?|beers?|breweries|brewery|spirits|cannabis|"
    r"tobacco|vap(?:e|ing)|cocktails?)\b",
          "Clear licences to sell and ship, age checks, and the ad platforms' own bans."),
    _Rule("gambling", r"\b(?:gambl\w+|betting|bets|casinos?|lotter(?:y|ies)|poker|wagers?)\b",
          "Clear a gambling licence in every place served, age checks, and the ad platforms' certification."),
    _Rule("housing", r"\b(?:tenants?|tenanc(?:y|ies)|landlords?|letting agents?|lettings?|sublet\w*|evict\w*|"
    r"lodgers?|rental housing|apartments?|roommates?|flatmates?|real estate|"
    r"mortgages?|co-living)\b",
          "Clear fair-housing rules for whoever is shown or refused a home, and licence rules for brokers."),
    _Rule("vehicle safety", r"\b(?:autonomous (?:vehicles?|cars?|trucks?)|self-driving|robotaxis?|ride[- "
    r"]sharing|ride[- ]hailing|carpool\w*|"
          r"e?-?scooters?|driver monitoring|(?:lorry|truck|bus|car|driver|"
          r"vehicle)(?:['’]?s)? blind spots?|(?:car|lift|taxi|cab)[- ]shar\w+|"
          r"shar(?:es?|ing) (?:an? |their |the )?(?:taxis?|cabs?|rides?|lifts?|cars?)|e-?bikes?)\b",
          "Clear road approval, driver checks and insurance before anyone rides."),
    _Rule("product safety", r"\b(?:batter(?:y|ies)|robots?|robotic\w*|cobots?|reactors?|high voltage|"
    r"wearables?|wristbands?|smartwatch(?:es)?|toys?|3d[- ]printed|"
          r"industrial machines?|plcs?|heaters?|appliances?|power tools?)\b",
          "Clear product safety and liability (CE marking or UL listing, machinery and battery rules) before "
          "anything ships."),
    _Rule("critical infrastructure", r"\b(?:scada|ics|power (?:grids?|plants?)|electricity networks?|water "
    r"treatment|nuclear|refiner(?:y|ies)|"
          r"critical infrastructures?|transmission network|telecom(?:s|munications)?|"
          r"charging (?:stations?|points?)|grid operators?)\b",
          "Clear operator security law (NIS2 in the EU, NERC CIP in the US) and the certification that buyers "
          "ask for."),
    _Rule("defence and export control", r"\b(?:defen[cs]e|military|arm(?:y|ies)|weapons?|intelligence agencies|"
    r"dual[- ]use|"
          r"hypersonic|post-quantum|cryptography)\b",
          "Clear export control (ITAR and EAR in the US, the dual-use regulation in the EU) before code or "
          "hardware crosses a border."),
    _Rule("biosafety", r"\b(?:genetic\w*|dna|gene (?:therapy|editing)|synthetic biology|bioreactors?|cell "
    r"therap\w+|crispr|pathogens?|"
          r"clinical trials?|cultured meat|microorganisms?|enzymes?|gmos?)\b",
          "Clear biosafety level, genetic engineering permits and, where people are treated, the path to "
          "approval (FDA, EMA)."),
    _Rule("environmental claims", r"\b(?:carbon (?:credits?|offsets?|footprints?|neutral|capture|reporting|"
    r"auditors?)|greenwashing|net[- ]zero|"
          r"sustainab\w+ claims?|co2|scope 3|carbon intensity|green (?:energy|electricity|power)|ccs|cbam|"
          r"emissions reporting)\b",
          "Clear what may be claimed (registry methods, EU green claims rules) and have a third party verify it."),
    _Rule("privacy", r"\b(?:personal data|pii|location (?:data|tracking|sharing)|facial recognition|face "
    r"recognition|biometric\w*|surveillance|"
          r"cameras?|voice recordings?|listens? to (?:calls|conversations)|conversation histor\w+|contact "
          r"lists?|profil(?:es|ing) "
          r"(?:of )?(?:people|users)|gps tracking|screen time|browsing histor\w+|data broker\w*|dating|"
          r"children's data|behaviou?ral data|"
          r"tracks? (?:employees|people|workers|users|kids|children)|emails?|e-mails?|phone numbers?|meetings? "
          r"record\w*|"
          r"health data|patients?|students?)\b",
          "Clear the legal basis, retention and deletion of personal data (GDPR, CCPA) and keep what is "
          "collected to what the product needs."),
    _Rule("physical safety of users", r"\b(?:strangers?|dating|meet(?:s|ing)? (?:in person|strangers)|"
    r"babysitters?|au pairs?|host famil\w+|house ?sitters?|(?<!for )nann(?:y|ies)|home visits?|"
          r"handym[ae]n|couchsurf\w*|ride[- ]sharing|elderly companions?|pet sitters?|vetted tutors?)\b",
          "Clear identity and background checks, a way to report and block, and insurance for meetings of strangers."),
    _Rule("copyright", r"\b(?:music streaming|sheet music|audiobooks?|e-?books?|lyrics|films?(?! (?:an?|the|"
    r"it|them|their|your|his|her|"
          r"themselves)\b)|movies?|textbooks?|scrap(?:e|es|ing) (?:the "
    r")?(?:web|sites|articles|content)|"
          r"voice clon\w+|deepfakes?|ai-generated (?:music|art|images|books))\b",
          "Clear the rights to every work that is copied, streamed or trained on."),
)  # fmt: skip
_COMPILED = tuple((rule, re.compile(rule.pattern, re.IGNORECASE)) for rule in _RULES)
_BASIS_WORDS_MAX = 4
# Words that name security tools' own field rather than people's health, and other false friends.
_FALSE_FRIENDS = re.compile(
    r"\bhealth check\w*|\btoken budget\w*|\bchild process\w*|\bnursery crops?\b|\bplant nurser\w+|"
    r"\btree nurser\w+|\b(?:blood|power|data|river|question|seed|memory|time) banks?\b|\btraining cameras?\b|"
    r"\bunderwater drones?\b|\bunderwater (?=drones?\b)",
    re.IGNORECASE,
)


def find(text: str) -> list[pb.RegulatedField]:
    """The regulated fields of an idea, in the order of how many of its words lead there (at most six)."""
    searched = _FALSE_FRIENDS.sub(" ", text)
    found: list[tuple[int, int, pb.RegulatedField]] = []
    for order, (rule, pattern) in enumerate(_COMPILED):
        if rule.only_with and not re.search(rule.only_with, searched, re.IGNORECASE):
            continue
        hits: dict[str, str] = {}
        for match in pattern.finditer(searched):
            hits.setdefault(match.group().lower(), match.group())
        if hits:
            basis = ", ".join(list(hits.values())[:_BASIS_WORDS_MAX])
            found.append((-len(hits), order, pb.RegulatedField(field=rule.field, basis=basis, advice=rule.advice)))
    found.sort(key=lambda item: (item[0], item[1]))
    return [field for _, _, field in found[:6]]
