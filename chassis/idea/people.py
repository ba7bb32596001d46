"""Who people are, by kin, by trade and by where they work: singular heads of noun phrases; plain data."""

from __future__ import annotations

KIN = frozenset(
    "grandma grandpa granny grandmother grandfather gran grandad nan mum mom mother dad father parent wife husband "
    "partner spouse girlfriend boyfriend fiance brother sister son daughter nephew niece aunt uncle cousin neighbour "
    "neighbor friend kid child family in-law flatmate roommate colleague".split()
)
# Who has a trade: what a tool of the trade does, their business pays for.
TRADES = frozenset(
    """
    midwife nurse doctor physician surgeon dentist physiotherapist physio therapist psychologist psychiatrist
    counsellor counselor pharmacist vet veterinarian paramedic radiographer optician optometrist podiatrist osteopath
    chiropractor dietitian nutritionist hygienist gp clinician carpenter plumber electrician roofer bricklayer
    plasterer joiner tiler welder glazier locksmith mechanic machinist fitter surveyor architect landscaper scaffolder
    builder contractor installer chimney-sweep lawyer solicitor barrister attorney paralegal notary accountant
    bookkeeper auditor actuary broker underwriter realtor trader merchant wholesaler importer exporter stallholder
    shopkeeper grocer butcher baker brewer winemaker distiller cheesemaker fishmonger florist farmer grower beekeeper
    shepherd winegrower forester logger fisher fisherman teacher lecturer headteacher head-teacher professor tutor
    librarian curator archivist conservator undertaker mortician hairdresser barber beautician groomer stylist
    tattooist tailor seamstress cobbler jeweller jeweler goldsmith blacksmith potter chef caterer sommelier barista
    waiter innkeeper hotelier journalist editor publisher translator interpreter copywriter designer photographer
    videographer filmmaker producer engineer developer programmer tester sysadmin analyst recruiter marketer
    salesperson director manager supervisor foreman dispatcher trucker haulier courier pilot skipper firefighter
    policeman detective prosecutor mayor councillor councilor planner inspector geologist chemist biologist
    """.split()
)
MORE_ACTORS = (
    TRADES
    | KIN
    | frozenset(
        """
        partner visitor backer bidder bather biker birder birdwatcher camper canoeist caravanner churchgoer commuter
        concertgoer crafter dancer dieter dog-walker early-riser festivalgoer foodie freelancer ghostwriter handler
        homebuyer houseowner houseboater immigrant migrant intern inventor juggler kayaker lodger motorhomer nomad
        pet-sitter picker pickers planner protester quilter racer rambler rower sleeper sportsperson sportspeople
        stargazer streamer sub supporter tenant-farmer tradesman tradeswoman tradesmen traveler trekker vlogger
        voter wearer wheelchair-user worshipper youth youngster octogenarian mourner migrant newlyweds
        caretaker janitor concierge doorman guard lifeguard guide ranger warden usher steward stewardess postman
        mayor councillor councilor councilman senator minister diplomat civil-servant bureaucrat official prosecutor
        headmaster headmistress principal dean bursar invigilator examiner childminder au-pair governess
        doula paediatrician dermatologist cardiologist neurologist oncologist urologist orthodontist
        non-profit not-for-profit charity hospice orphanage almshouse shelter foodbank soup-kitchen parish diocese
        mosque synagogue temple
        brewer distillery winery mill sawmill quarry smithy dairy abattoir fishery aquaculturist nursery orchard
        dealership garage workshop carwash cinema theatre theater opera circus festival campsite zoo aquarium
        newsroom broadcaster label imprint bookshop bookstore boutique florist deli pub inn tavern pizzeria
        bistro eatery canteen cafeteria café brasserie ngo thinktank embassy consulate
        association cooperative co-op syndicate guild federation society trust council authority commission
        hoa condominium landlord lessor lessee squatter subtenant
        creditor debtor borrower saver shareholder treasurer trustee executor heir beneficiary pensioner
        co-founder cofounder bootstrapper angel mentor mentee consultant secretary receptionist clerk typist
        allergic asthmatic diabetic dyslexic epileptic coeliac celiac autistic stutterer amputee
        """.split()
    )
) - {"label", "trust", "society", "mill", "shelter", "temple", "angel", "trader", "handler", "wearer"}
# People or organisations only as a pair of words.
ACTOR_PAIRS = frozenset(
    {
        "funeral home", "funeral parlour", "care home", "nursing home", "retirement home", "children's home",
        "au pair", "fashion house", "auction house", "publishing house", "guest house", "public house",
        "farmers' market", "farmer's market", "flea market", "christmas market", "apartment block", "housing block",
        "housing estate", "day center", "day centre", "garden centre", "garden center", "call center", "call centre",
        "youth centre", "youth center", "leisure centre", "leisure center", "building site", "construction site",
        "food truck", "food bank", "blood bank", "community kitchen",
    }
)  # fmt: skip
