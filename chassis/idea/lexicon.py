"""Word lists that the reading needs besides verbs and categories: who people are, what hurts, what a form is."""

from __future__ import annotations

import re

from chassis.idea.people import ACTOR_PAIRS as ACTOR_PAIRS
from chassis.idea.people import KIN, MORE_ACTORS
from pipeline.v1 import common_pb2 as pb

# Heads of noun phrases that name people or organisations (singular).
ACTORS = frozenset(
    """
    person household family parent mother father mum mom child kid teen teenager adult senior elder grandparent couple
    student pupil learner teacher tutor professor school university college kindergarten daycare nursery educator
    clinic hospital doctor physician nurse dentist therapist physiotherapist patient caregiver carer practice pharmacy
    pharmacist midwife veterinarian surgeon clinician radiologist psychologist lab laboratory
    business company firm startup enterprise organisation organization corporation sme smb multinational agency
    studio shop store retailer restaurant cafe bakery bar hotel hostel supermarket grocer chef brewery caterer gym
    team department office staff manager director executive ceo cfo cto ciso cmo coo cso engineer developer designer
    scientist researcher analyst accountant bookkeeper auditor lawyer attorney paralegal architect builder contractor
    plumber electrician tradesperson craftsperson handyman freelancer consultant coach trainer creator artist musician
    writer author photographer filmmaker journalist editor publisher marketer advertiser influencer blogger podcaster
    recruiter employer employee worker candidate applicant seeker salesperson rep seller buyer shopper consumer
    customer client user member subscriber fan gamer player reader listener viewer
    farmer grower farm rancher beekeeper gardener smallholder cooperative winemaker vineyard fisher breeder agronomist
    landlord tenant homeowner owner renter realtor broker agent buyer flatmate roommate neighbour neighbor resident
    driver rider commuter cyclist trucker courier carrier shipper dispatcher fleet operator pilot airline port
    mechanic
    traveller traveler tourist guest host backpacker hiker camper expat immigrant refugee newcomer
    athlete runner climber swimmer golfer club league
    bank insurer lender investor fund trader advisor adviser institution broker actuary
    charity nonprofit ngo volunteer donor church foundation
    government city municipality council town citizen voter regulator authority army police agency ministry
    manufacturer factory plant supplier vendor distributor wholesaler importer exporter foundry producer
    provider integrator maker planner practitioner professional specialist expert beginner novice founder
    entrepreneur solopreneur freelancer maintainer administrator officer leader player subcontractor certifier miner
    industry platform center centre refinery warehouse utility hyperscaler startup gigafactory giant group merchant
    survivor veteran woman man girl boy people introvert vegan vegetarian diabetic dater single bride groom
    friend hire co-founder
    dyslexic amateur enthusiast collector hobbyist lover parent-to-be newlywed widow pet-owner crew workforce squad
    committee board association union chain brand franchise landscaper cleaner housekeeper nanny babysitter sitter
    walker groomer stylist barber hairdresser salon spa dj band venue organizer organiser promoter booker curator
    academic scholar postdoc lecturer apprentice trainee intern graduate alumnus craftspeople tradespeople salespeople
    colleague sibling twin pensioner retiree toddler baby widower orphan godparent stepparent aunt uncle cousin
    referee umpire goalkeeper cyclist skater surfer sailor angler hunter knitter potter painter sculptor actor dancer
    singer choir orchestra drummer guitarist pianist composer poet illustrator animator cook waiter waitress
    bartender barista butcher fishmonger florist locksmith glazier roofer bricklayer welder machinist technician
    electrician surveyor geologist chemist biologist physicist mathematician statistician economist sociologist
    historian archaeologist astronomer meteorologist forester logger shepherd stallholder shopkeeper innkeeper
    undertaker firefighter paramedic policeman policewoman soldier sailor priest imam rabbi monk nun pastor parish
    congregation optician audiologist dietitian nutritionist podiatrist osteopath chiropractor obstetrician
    paediatrician pediatrician anaesthetist radiographer hygienist sufferer survivor insomniac smoker drinker
    stutterer beginner learner-driver pedestrian motorist motorcyclist passenger taxi-driver chauffeur
    newcomer asylum-seeker islander villager townspeople townsfolk commune kibbutz
    makerspace hackerspace startup-founder
    museum gallery library librarian translator interpreter notary judge court broker shipper miner cto devops
    infrastructure network park military defense defence pharma telco gigafactories operator
    """.split()
) - {"platform", "network", "infrastructure", "chain", "group", "single", "board", "judge", "park", "industry",
    "center",
     "centre", "plant", "fund", "agent", "lab", "port", "bar", "utility", "defense", "defence", "court", "club",
     "library",
     "farm", "warehouse", "player", "practice", "host", "school", "store", "brand", "office", "fleet"}  # fmt: skip
ACTORS = ACTORS | MORE_ACTORS
# Organisations only when they head the phrase in the plural or follow "for"/"targeting".
PLACES_AS_ACTORS = frozenset(
    "infrastructure network industry chain center centre plant farm warehouse fund agent lab port bar utility defense "
    "defence court club library group platform player practice host school store brand office fleet site institute "
    "program hospital park research cafe logistics agriculture aviation inspection security hall halls community "
    "communities".split()
)
# Never people, although they end like people.
NOT_ACTORS = frozenset(
    "container router server computer number paper water power order offer layer driver's sensor scanner tracker "
    "calendar reminder letter newsletter folder charger printer meter filter buffer trailer cluster parameter "
    "marker sticker timer planner folder answer matter weather dinner shower tower flower corner ladder counter "
    "transfer error color colour sector factor vector monitor motor reactor bioreactor tractor tensor mirror floor "
    "door labor labour behavior behaviour flavor flavour list assist waitlist checklist playlist wishlist therapist's "
    "data media area idea criteria formula schema pizza experience product plant giant restaurant tenant "
    "document content event moment agent payment component equipment treatment shipment appointment investment "
    "environment deployment development assignment document engagement invoice software hardware master poster "
    "danger discover disaster cover over under after either other another together river silver fever liver "
    "center never ever whether cancer character chapter register semester quarter member's laser polymer "
    "disorder border folder builder's barrier carrier's manner banner beer career gear year ear tear user's "
    "simulator calculator generator compiler debugger parser interpreter converter tokenizer optimizer".split()
)
ACTOR_SUFFIXES = ("eer", "ist", "ician", "ologist", "grapher", "keeper", "maker", "holder", "owner", "goer", "worker")

# Nouns and adjectives that name something that hurts.
PAINS = frozenset(
    """
    damage waste no-show no-shows noshow fraud fraudulent fake scam error mistake loss theft delay downtime outage
    breach leak
    attack threat risk vulnerability bug defect failure breakdown accident injury illness pain stress anxiety
    loneliness
    burnout boredom churn debt poverty hunger pollution emission congestion traffic noise spam phishing malware
    ransomware abuse harassment bullying discrimination bias cheating plagiarism misinformation overrun overspending
    overbilling duplicate conflict dispute complaint refund return chargeback penalty fine shortage stockout surplus
    leftover clutter paperwork bureaucracy friction bottleneck latency crash hallucination drift weed pest disease
    blackout instability degradation toxicity contamination corrosion collision debris hazard fire flood drought
    vacancy turnover absenteeism cost expense bill fee tax deadlock loop rogue zombie malicious unauthorized
    unauthorised suspicious anomaly anomalous broken damaged late overdue unpaid expired stale hidden unused missing
    forgotten lost unsafe counterfeit insecure obsolete redundant inactive manual tedious repetitive slow wasted
    wasting misuse noise lateness forgetting procrastination distraction isolation jetlag footprint deepfake deepfakes
    injection injections dropouts dropout relapse pothole potholes litter silo silos distracting distraction
    burglary theft barrier trojan backdoor hack disaster shutdown conflict failure
    """.split()
)
# Words after which a sentence says that something is hard.
HARD = frozenset(
    "impossible difficult hard unable challenging tricky costly expensive slow dangerous risky tedious cumbersome "
    "complex fragmented unreliable unstable insecure vulnerable opaque prohibitive inefficient ineffective "
    "unpredictable imprecise inaccurate static rigid manual limited insufficient frustrating confusing painful "
    "overwhelming boring stressful lonely scarce abysmal poor deadly terrible".split()
)
HARM_VERBS = frozenset(
    "fail lack struggle suffer waste lose threaten cost require take degrade destroy ruin block hamper limit slow "
    "expose prevent cripple miss forget break crash collapse encounter drain saturate generate induce extend "
    "clog risk cause result lead endanger disrupt hit depend clone insert overproduce compromise overpay overspend "
    "underestimate damage".split()
)

# Product forms: head words -> form, the most telling first.
FORMS: tuple[tuple[str, pb.ProductForm.ValueType], ...] = (
    ("browser extension|browser plugin|chrome extension|extension|plugin|plug-in|add-on|add-in",
     pb.PRODUCT_FORM_EXTENSION),
    ("marketplace|exchange|two-sided platform|peer-to-peer platform", pb.PRODUCT_FORM_MARKETPLACE),
    ("mobile app|mobile application|phone app|smartphone app|ios app|android app|mobile game|mobile",
     pb.PRODUCT_FORM_MOBILE_APP),
    ("api|sdk|api gateway|gateway|proxy|middleware|circuit breaker|library|engine|protocol|infrastructure|"
    "control plane|"
     "sandbox|compiler|runtime|tarpit|broker", pb.PRODUCT_FORM_API),
    ("wearable|device|sensor|robot|hardware|gadget|machine|appliance|camera|kit|box|wristband|smartwatch|ring|"
    "collar|earbud|earbuds|headset|glasses|helmet|watch|bracelet|backpack|bottle|stroller|drone",
     pb.PRODUCT_FORM_HARDWARE),
    ("service|agency|subscription box|concierge|delivery|consultancy|studio|workshop|course|school|cafe|shop|"
    "store|gym|"
     "newsletter|club|academy|bootcamp|franchise", pb.PRODUCT_FORM_SERVICE),
    ("web app|web application|website|site|saas|dashboard|tool|platform|software|system|portal|crm|assistant|"
    "copilot|bot|"
     "chatbot|app store|workspace|network|planner|tracker|builder|generator|solution|suite|directory|community|"
     "calculator|scheduler|simulator|product|program|database|board|hub|editor|search engine|agent|model|checker|"
     "organizer|monitor|scanner|game|diary|journal|calendar|app|application", pb.PRODUCT_FORM_WEB_APP),
)  # fmt: skip
FORM_WORDS = frozenset(
    word
    for words, _ in FORMS
    for phrase in words.split("|")
    for word in phrase.split()
    if word not in {"mobile", "browser"}
)
FORM_HEADS = frozenset(phrase.split()[-1] for words, _ in FORMS for phrase in words.split("|")) | {"layer", "startup"}
# Adjectives of a form that say nothing about its subject.
FORM_ADJECTIVES = frozenset(
    "ai-powered ai ai-driven ai-based ai-assisted powered-by-ai mobile web online digital smart intelligent "
    "simple new "
    "innovative modern cloud cloud-based web-based b2b b2c b2g b2b2c m2m saas all-in-one easy easy-to-use free "
    "next-generation automated automatic novel better revolutionary subscription-based subscription open-source "
    "self-service no-code low-code mobile-first browser chrome ios android phone smartphone peer-to-peer two-sided "
    "dynamic neutral deterministic hybrid virtual lightweight affordable personalized personalised real-time "
    "on-demand "
    "blockchain-based gamified data-driven user-friendly white-label multi-sided niche vertical local global "
    "full-stack end-to-end ml-powered llm-powered voice-first privacy-first".split()
)
# Known companies as shorthand ("Uber for X").
ANALOGUES: dict[str, tuple[str, pb.ProductForm.ValueType]] = {
    "uber": ("on-demand booking", pb.PRODUCT_FORM_MARKETPLACE),
    "airbnb": ("short-term rental", pb.PRODUCT_FORM_MARKETPLACE),
    "tinder": ("matching", pb.PRODUCT_FORM_MOBILE_APP),
    "netflix": ("subscription streaming", pb.PRODUCT_FORM_WEB_APP),
    "spotify": ("subscription streaming", pb.PRODUCT_FORM_MOBILE_APP),
    "linkedin": ("professional network", pb.PRODUCT_FORM_WEB_APP),
    "etsy": ("marketplace", pb.PRODUCT_FORM_MARKETPLACE),
    "ebay": ("marketplace", pb.PRODUCT_FORM_MARKETPLACE),
    "shopify": ("shop builder", pb.PRODUCT_FORM_WEB_APP),
    "stripe": ("payments", pb.PRODUCT_FORM_API),
    "duolingo": ("practice", pb.PRODUCT_FORM_MOBILE_APP),
    "strava": ("activity tracking", pb.PRODUCT_FORM_MOBILE_APP),
    "calendly": ("scheduling", pb.PRODUCT_FORM_WEB_APP),
    "github": ("collaboration", pb.PRODUCT_FORM_WEB_APP),
    "deliveroo": ("delivery", pb.PRODUCT_FORM_MARKETPLACE),
    "doordash": ("delivery", pb.PRODUCT_FORM_MARKETPLACE),
    "instacart": ("delivery", pb.PRODUCT_FORM_MARKETPLACE),
    "vinted": ("second-hand", pb.PRODUCT_FORM_MARKETPLACE),
    "lyft": ("ride", pb.PRODUCT_FORM_MARKETPLACE),
    "blablacar": ("ride-sharing", pb.PRODUCT_FORM_MARKETPLACE),
    "patreon": ("membership", pb.PRODUCT_FORM_WEB_APP),
    "kickstarter": ("crowdfunding", pb.PRODUCT_FORM_WEB_APP),
    "tripadvisor": ("review", pb.PRODUCT_FORM_WEB_APP),
    "yelp": ("review", pb.PRODUCT_FORM_WEB_APP),
    "glassdoor": ("employer review", pb.PRODUCT_FORM_WEB_APP),
    "slack": ("team chat", pb.PRODUCT_FORM_WEB_APP),
    "zoom": ("video call", pb.PRODUCT_FORM_WEB_APP),
    "venmo": ("payments", pb.PRODUCT_FORM_MOBILE_APP),
}
# "Uber for X", "Tinder but for X", "the Netflix of X for Y", "it is like Strava, but for Y".
ANALOGUE = re.compile(
    r"^(?:(?:it(?:['’]s|\s+is)?|basically|think|kind\s+of|sort\s+of|like|an?|the)\s+){0,4}(?P<company>\w+),?\s+(?:but\s+)?"
    r"(?P<how>for|of)\s+(?P<what>.+)$", re.IGNORECASE,
)  # fmt: skip
# Things that a verb goes with when a mechanism is a bare noun phrase ("automatic reminders" -> send).
VERB_FOR_NOUN = {
    "reminder": "send", "alert": "send", "notification": "send", "message": "send", "warning": "send", "nudge": "send",
    "newsletter": "send", "report": "show", "dashboard": "show", "insight": "show", "statistic": "show",
    "chart": "show", "score": "compute", "forecast": "compute", "prediction": "compute", "estimate": "compute",
    "recommendation": "give", "suggestion": "give", "tip": "give", "advice": "give", "feedback": "give",
    "plan": "make", "schedule": "make", "itinerary": "make", "summary": "write", "transcript": "write",
    "lesson": "book", "session": "book", "appointment": "book", "booking": "take", "consultation": "book",
    "class": "book", "call": "book", "visit": "book", "tour": "book", "delivery": "arrange", "pickup": "arrange",
    "payment": "take", "invoice": "issue", "quiz": "run", "game": "play", "story": "tell", "simulation": "run",
    "test": "run", "audit": "run", "poll": "run", "survey": "run", "profile": "keep", "record": "keep", "log": "keep",
    "list": "keep", "history": "keep", "review": "collect", "rating": "collect", "map": "show", "template": "offer",
    "discount": "offer", "reward": "give", "chat": "open", "search": "run", "rule": "apply", "filter": "apply",
    "limit": "set", "goal": "set", "budget": "set", "backup": "make", "check": "run", "video": "record",
    "photo": "take", "question": "ask", "answer": "give", "course": "run", "match": "find",
}  # fmt: skip
# Nouns made from verbs ("idea validation" -> validate ideas).
NOMINALISATIONS = {
    "validation": "validate", "detection": "detect", "management": "manage", "prediction": "predict",
    "recommendation": "recommend", "optimization": "optimize", "optimisation": "optimise", "analysis": "analyse",
    "verification": "verify", "generation": "generate", "creation": "create", "prevention": "prevent",
    "collection": "collect", "selection": "select", "classification": "classify", "translation": "translate",
    "transcription": "transcribe", "collaboration": "share", "automation": "automate", "integration": "integrate",
    "discovery": "discover", "delivery": "deliver", "recovery": "recover", "review": "review", "assessment": "assess",
    "measurement": "measure", "reconciliation": "reconcile", "comparison": "compare", "preparation": "prepare",
    "reservation": "reserve", "rental": "rent", "exchange": "exchange", "search": "search", "repair": "repair",
    "maintenance": "maintain", "inspection": "inspect", "simulation": "simulate", "migration": "migrate",
    "orchestration": "orchestrate", "visualization": "visualise", "moderation": "moderate",
    "procurement": "procure", "recruitment": "recruit", "placement": "place", "support": "support",
    "testing": "test", "estimation": "estimate", "evaluation": "evaluate", "monitor": "monitor",
    "tracker": "track", "planner": "plan", "scanner": "scan", "finder": "find", "checker": "check",
    "organizer": "organise", "organiser": "organise", "scheduler": "schedule", "matcher": "match",
    "builder": "build", "generator": "generate", "reminder": "remind", "summarizer": "summarise",
    "calculator": "calculate", "tracking": "track", "analytics": "analyse", "comparator": "compare",
    "cleanup": "clean", "identification": "identify", "reduction": "reduce", "adoption": "adopt",
    "authentication": "authenticate", "sharing": "share", "swap": "swap", "purchase": "buy",
}  # fmt: skip
# Attributes are fields of an entity, not entities of their own.
ATTRIBUTES = frozenset(
    "date time cost price score rate number name status level amount size distance weight height speed quality value "
    "deadline duration quantity location address age colour color budget efficiency accuracy performance progress "
    "availability history trend habit intake usage consumption need preference interest goal skill experience "
    "way thing stuff lot kind type part side end life money help work time day week month year hour minute space "
    "slot lack risk problem issue solution product service app platform tool system software technology ai data "
    "information "
    "world people person everyone place case process use access control support result effect change impact "
    "attention safety security confidence trust volume loss capacity power energy life food waste water productivity "
    "fraud sleep stress health education carbon weather traffic inertia resilience latency energy real-time "
    "management detection prevention analytics analysis validation optimization automation visibility "
    "one-click ease instantly millisecond minute feedback tap question pain bill other".split()
)
CONSUMERS = frozenset(
    """
    person people household family parent mother father mum mom child kid teen teenager adult senior elder grandparent
    couple student pupil learner patient shopper consumer user fan gamer player reader listener viewer gardener
    homeowner tenant renter flatmate roommate neighbour neighbor resident driver rider commuter cyclist traveller
    traveler tourist guest backpacker hiker camper expat immigrant refugee newcomer athlete runner climber swimmer
    golfer citizen voter owner beginner novice introvert vegan vegetarian diabetic dater bride groom amateur
    enthusiast pensioner retiree sibling twin cousin aunt uncle widow widower insomniac smoker drinker singer skater
    surfer angler knitter sufferer pedestrian motorist motorcyclist passenger villager apprentice trainee graduate
    collector hobbyist lover woman man girl boy friend survivor veteran seeker walker cook dyslexic
    visitor partner lodger asthmatic coeliac celiac birdwatcher stargazer newlywed mourner borrower saver
    """.split()
) | KIN - {"colleague"}
PUBLIC = frozenset(
    "government city municipality council town regulator authority army police ministry defense defence military nasa "
    "esa citizen-service public-sector mayor councillor councilor senator minister diplomat embassy".split()
)
