"""Verbs that ideas are written with: base forms by what they say about a product; plain data.

The groups carry meaning for the reading (who is helped, what is removed, what is promised); `VERBS` is their union and
serves as the verb side of the part-of-speech guess in `words`.
"""

from __future__ import annotations

# "helps households waste less food": the object is the audience, the verb after it is the outcome.
ENABLING = frozenset("help let allow enable empower assist make get give equip encourage free liberate".split())
# "tells growers where to spray": the object is the audience, the rest stays one phrase.
INFORMING = frozenset(
    "tell show teach remind alert notify warn inform advise coach guide train educate nudge ask prompt pay "
    "reward support serve update motivate".split()
)
# "matches students with tutors": both sides are audiences or things.
MATCHING = frozenset("match connect pair link introduce bring unite marry hook".split())
# What they act on is what hurts, whatever it is.
REDUCING = frozenset(
    "reduce cut avoid prevent stop eliminate minimise minimize fight tackle end lower solve remove combat fix "
    "mitigate curb slash resolve shrink decrease halve counter overcome relieve ease lessen deter thwart "
    "protect reverse".split()
)
# What they act on hurts only where the object itself names something bad ("detects fraudulent invoices").
FINDING = frozenset("detect block catch spot flag identify intercept trap terminate suspend expose filter".split())
# They promise a gain; what they act on is wanted, not a pain.
IMPROVING = frozenset(
    "improve increase boost raise speed accelerate streamline simplify grow optimise optimize maximise maximize "
    "enhance strengthen extend double triple automate".split()
)
# "my grandmother who forgets to drink": what goes wrong for them.
LOSING = frozenset("forget lose waste miss hate fail struggle lack".split())
_OTHER = """
accept access accommodate account achieve acquire act activate approach adapt add address adjust administer
adopt advertise
aggregate aim align allocate analyse analyze annotate answer anonymise anonymize anticipate appeal apply appoint
appraise approve archive arrange assemble assess assign attach attack attend attract auction audit augment
authenticate authorise authorize balance ban bake bathe become begin behave believe benchmark benefit bid bill bind
blend book borrow bottle break breed brew browse brush budget build bundle burn buy cache calculate calibrate call
cancel capture care carry categorise categorize cause censor certify challenge change charge chart chase chat check
choose circulate claim classify clean clear clone close cluster clog coach collaborate collapse collect combine come
comment communicate compare compensate compete compile complete comply compose compost compress compute conduct
configure confirm consolidate consult consume contact contain contribute control convert cook coordinate copy
correct cost count cover crash create crowdsource cultivate curate customise customize cycle date deal debug decide
decode decrypt dedupe defend define degrade delay delegate delete deliver demand deploy depend describe design
destroy determine develop devour diagnose dictate digitise digitize discover discuss disinfect dispatch display
distribute divert document donate download draft draw dream drill drive drop drown dry earn eat edit embed employ
encounter encrypt enforce engage enjoy enrich enroll enrol ensure enter establish estimate evaluate examine exceed
exchange execute exercise correlate characterise characterize decarbonise sequence exhaust exist expand find
expect experience experiment explain explore export extract face
facilitate factor fail fall fear feed feel ferment fetch file fill finance fit float fly focus fold follow forage
force forecast forget format foster freeze fuel fulfil fulfill function fund garden gather generate gift go grade
graduate graze grind group guarantee guess handle harden harvest hate have heal hear heat hedge hire hit hold host
hunt illuminate illustrate imagine implement import incentivise include indicate induce infer influence ingest
inject inspect install insure integrate interact interpret interview invest invite invoice irrigate isolate issue
join journal judge jump keep know label lack land launch layer lead learn lease leave lend leverage license like
limit list listen live load loan localise localize locate lock log look lose love maintain manage manufacture map
mark market measure mediate meditate meet mentor merge message migrate mine miss mix model moderate modify monetise
monetize monitor mount move navigate need negotiate network observe obtain offer offload onboard open operate order
organise organize orient outsource own pack package paint park participate partner pass patch pause pay perform
permit personalise personalize photograph pick pickle pilot place plan plant play plot pool populate position post
power practice practise predict prefer prepare prescribe present preserve press price prioritise prioritize print
process procure produce profile program project promise promote propose provide prove publish pull purchase purge
pursue push put qualify quantify query quote race rank rate reach react read realise realize rebook receive
recharge recognise recognize recommend reconcile reconstruct record recover recruit recycle redact redeem redesign
redirect redistribute reduce refer refill refine reforest refund refurbish regenerate register regulate rehearse
release rely remember renew renovate rent reorder repair replace reply report repurpose request require rescue
research resell reserve respond restock restore retain retrieve return reuse reveal review revise rewrite ride
roast rotate route ruin run salvage save scale scan schedule score scrape screen script seal search secure see seek
segment select sell send sense separate sequence settle sew shape share shield shift ship shop shorten showcase
shrink shuttle sign simulate sing sit sketch sleep smoke socialise socialize sort source speak specialise spend
split sponsor spray spread stabilise stabilize stake standardise start stay steer sterilise stock store stream
stretch structure struggle study stumble submit subscribe substitute suffer suggest suit summarise summarize
supervise supply surface survey survive swap switch sync synchronise synchronize synthesise synthesize tag tailor
take talk target taste tax test think threaten tidy time tip tokenise tour trace track trade transact transcribe
transfer transform translate transmit transport travel treat triage trigger tune turn tutor type understand
underwrite unload unlock untangle upcycle upgrade upload use utilise utilize validate value verify vet view
visit visualise visualize volunteer vote wake walk want warm warn wash waste watch water weave weigh welcome win wipe
wish withdraw work worry wrap write result hamper cripple clone insert induce drain blind degrade destabilise
destabilize unbalance demand mandate compromise generate saturate paralyse paralyze extend slow rely revolutionise
transition migrate converge evolve lie hide operate excel retire parse dissolve stitch onboard reskill upskill
declutter sound appear mow weed tidy sew knit paddle kayak battle beat replenish rehome groom fundraise
crowdfund fix shadow
sandbox arbitrate deduplicate
throw bury repeat wear cry wander climb shout hang dig pour cross drag haul bother commit admit argue queue fax phone
ring text skip steal lift smell touch swallow quit panic trust wonder beg arrive happen hurt die owe empty juggle dread
lag misplace rush scramble scroll swim stand hesitate postpone pretend quarrel retype scribble sue suspect swear
tolerate undercharge wait haggle cheat choke complain confuse interrupt overstock photocopy rot shred spoil spill
stare sweat blow kill crush plague haunt strangle drown frustrate annoy bother irritate
dedupe collate outline flip brainstorm pitch refer enroll memorise memorize sublet commute carpool hail dock
""".split()
_NOT_AFTER_ALL = frozenset(
    {"date", "factor", "group", "time", "type", "value", "cost", "cause"}
)  # nouns far more often

VERBS = frozenset(_OTHER) | ENABLING | INFORMING | MATCHING | REDUCING | FINDING | IMPROVING
# Nouns as often as verbs: a bare base form after a noun is read as a noun unless "to" or an actor comes before it.
MOSTLY_NOUNS = _NOT_AFTER_ALL | frozenset(
    "care change charge claim control demand design document end experience exercise file finance fund garden gift "
    "heat house invoice issue label land lead loan market message model network order own paint park pilot place plan "
    "plant post power practice price process profile program project purchase quote race report request research "
    "review risk route sale scale score screen script search sense shop sign source start state stock store stream "
    "study supply support surface survey target tax test tip tour trade transport travel trigger view visit waste "
    "watch water work pool partner network tutor volunteer budget record result return attack log map match list "
    "account schedule book meeting training lack need stake force function label brush host tag phone ring text "
    "panic trust queue rush cross empty spoil swim climb lag dread "
    "steal lift smell touch fax pour stand cheat shred blow".split()
)
DOUBLING = frozenset(
    "excel plan scan shop map stop run get set cut let put win begin submit refer prefer control ship tag chat "
    "flag swap "
    "spot log trim fit drop plug cram split hit quit program format bid ban wrap step drag trap clog vet slip sit "
    "label model travel refit forget pet tip sublet flip quit swim dig beg drag skip rot rehome_".split()
) - {"label", "model", "travel", "format", "rehome_"}
IRREGULAR_THIRD = {"has": "have", "does": "do", "goes": "go", "is": "be", "are": "be", "was": "be", "were": "be"}
IRREGULAR_PARTICIPLES = {
    "built": "build", "made": "make", "sent": "send", "bought": "buy", "sold": "sell", "found": "find",
    "lost": "lose", "kept": "keep", "taught": "teach", "told": "tell", "given": "give", "driven": "drive",
    "written": "write", "grown": "grow", "known": "know", "shown": "show", "taken": "take", "spent": "spend",
    "stuck": "stick", "broken": "break", "hidden": "hide", "led": "lead", "run": "run", "paid": "pay",
    "chosen": "choose", "worn": "wear", "eaten": "eat", "drawn": "draw", "thrown": "throw", "held": "hold",
    "left": "leave", "met": "meet", "won": "win", "cut": "cut", "read": "read", "fed": "feed", "bred": "breed",
    "stolen": "steal", "forgotten": "forget", "frozen": "freeze", "stood": "stand", "hung": "hang",
    "hurt": "hurt", "hit": "hit", "put": "put", "set": "set",
}  # fmt: skip
