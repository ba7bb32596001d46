"""Everyday words of each field of business, as founders write them; weighted as the `medium` terms of `categories`."""

from __future__ import annotations

# The companies that people name as shorthand speak for their field as well ("Strava for ...").
EVERYDAY: dict[str, str] = {
    "food": "sandwich, pizza, beekeeper, honey, butcher, allotment produce, oven, lunchbox, school lunch, food truck, "
    "caterer, barista, tasting, cocktail, roastery, soup, cheese, pasta, sauce, supper club, food intolerance, gluten, "
    "spent grain, flour, food bank",
    "health": "midwife, ward, hospital ward, handover, physio, podiatrist, insole, optician, insulin, glucose, "
    "blood sugar, sugar, diabetic, hay fever, pollen, asthma, allergy, blind people, deaf, hearing aid, sight, "
    "braille, "
    "wheelchair user, care home, hospice, pregnant, pregnant woman, menopause, migraine, vaccine, wound, "
    "injury, rehab, "
    "carer, stroke, autism, adhd, ill, patient letter, side effect, blood pressure, podiatry, "
    "uv, skin cancer, eczema, stutter",
    "fintech": "direct debit, card reader, cashless, cash, bank fee, bank account, currency, dollar, tax return, "
    "pocket money, fee collection, tip jar, late payment, split bill, split rent, invoicing, payout, receipt, "
    "accountant, stripe",
    "education": "timetable, substitute teacher, puzzle, reading puzzle, dyslexic, spelling, welsh, vocabulary, "
    "apprenticeship, lecture note, textbook, pupil, music lesson, diploma, degree, school trip, graduation, "
    "secondary school, peer tutoring, duolingo, lecturer, essay, thesis",
    "agriculture": "forest, beekeeper, beehive, hive, allotment, tractor, cow, sheep, "
    "livestock, hay, compost, garden centre, plant nursery, vineyard, smallholder, fruit picker, olive, hedge, manure",
    "developer-tools": "product manager, feature request, changelog, bug report, code snippet, github, "
    "wordpress, compiler, terminal, feature flag, unit test",
    "business-operations": "receptionist, missed call, miss call, plumber, construction crew, crew, "
    "undertaker, funeral, funeral home, funeral director, death certificate, paperwork, "
    "minutes, "
    "product manager, feature request, product team, receipt, stock list, stocktaking, admin work, office manager, "
    "e-signature, filing, spreadsheet, reception, front desk, quote, tender, rota, meeting note, audit trail",
    "hr": "rota, rota planning, shift, shift plan, door staff, staff training, compliance training, onboarding, "
    "night shift, yacht crew, crew, temp worker, sick leave, holiday request, au pair, substitute teacher, job ad, "
    "apprentice, timesheet, linkedin, payroll",
    "marketing": "sales people, salespeople, newsletter, product photo, press release, sales call, cold call, slogan, "
    "landing page, customer review, influencer, trade fair, lead, prospect, outlook",
    "retail": "village shop, market stall, stall, till, shelf, present, birthday present, "
    "gift, second-hand, school uniform, uniform, clothes, fabric, garment, shoe, furniture, jewellery, jewelry, "
    "hairdresser, florist, flower, bouquet, bookshop, left-handed, handmade, shop builder, charity shop, etsy, "
    "ebay, shopify, toy, online shop, tailor, sewing, farm shop, wardrobe, perfume, craft",
    "logistics": "parcel, pallet, locker, forklift, customs, importer, imported, haulier, lorry, removal van, "
    "cargo bike, "
    "shipping label, picking route, stock room, last mile, warehouse staff",
    "real-estate": "flat, shared flat, flatshare, shed, garden shed, parking spot, spare room, letting agent, letting, "
    "tenancy, rent deposit, garage, attic, basement, boiler, heating bill, heating, caretaker, apartment block, roof, "
    "cleaning, chore, moving house, tiler, bathroom, kitchen fitter, lodger, workshop space, housemate, "
    "planning objection, residents' association, lawn mower, airbnb",
    "travel": "audio guide, museum, souvenir, sightseer, wine bar, bed and breakfast, caravan, ferry, layover, "
    "suitcase, passport, village inn, city tour, ski resort, yacht, tourist office",
    "energy-climate": "wind farm operator, wind turbine, turbine blade, heating oil, "
    "solar panel, solar panel installer, insulation, wood stove, rooftop, standby, "
    "smart meter, spent grain, repair cafe",
    "legal": "legal aid, planning objection, custody, court, tenancy contract, inheritance, will, tribunal, "
    "small print, "
    "terms and conditions, parking fine, trademark, patent, divorced, objection, immigrant",
    "entertainment": "museum, guest book, exhibition, exhibit, "
    "sheet music, choir, choir director, dj, song, podcast host, "
    "night club, game studio, band, festival, cinema, theatre, concert, playlist, wedding photographer, photographer, "
    "gallery, netflix, spotify, bedtime story, board game, ticketing",
    "social": "birthday, neighbour, neighbor, street, grandma, grandparent, family photo, friend, tinder, dating, "
    "language exchange, village, club, meetup, lonely, loneliness, group chat, hobby, shared calendar, "
    "borrow, chore, flatmate, choir, community",
    "security": "wrong attachment, password, leaked, lone worker, burglar, door lock, fake call, night club, scam call",
    "manufacturing": "welder, workshop, machine shop, lathe, carpenter, joinery, spare part, workpiece, moulding",
    "mobility": "e-scooter, "
    "taxi, bus, commuter, station, lorry, lorry driver, blind spot, cyclist, bicycle, child seat, "
    "car seat, "
    "car-free, parking, parking spot, last bus, elderly driver, driving test, licence, car sharing, tram, timetable, "
    "wheelchair taxi, uber, driving lesson, campus bus, carpool",
    "pets": "dog groomer, dog walker, terrarium, aquarium, reptile, vet, kitten, kennel, cattery, rabbit, "
    "hamster, horse, "
    "cow, beehive",
    "fitness": "badminton, tennis, football, padel, squash, climbing gym, climbing, yoga, marathon, swim, ski, golf, "
    "sports club, referee, wheelchair user, strava, exercise, training partner, five-a-side, rowing",
    "childcare": "child seat, car seat, bedtime, nanny, au pair, host family, nursery fee, baby monitor, "
    "newborn, pram, "
    "stroller, school run, after-school, childminder, dyslexic kid, divorced parent, school uniform, lunchbox, "
    "playground",
    "nonprofit": "charity shop, food bank, volunteer, residents' association, repair cafe, legal aid charity, "
    "grant application, village hall, sports club board, donation, non-profit, soup kitchen, refugee",
    "government": "parish council, council, town hall, mayor, pothole, planning objection, planning "
    "application, permit, "
    "library, public library, registry, death certificate, ballot, public consultation, tenancy register, "
    "civil registry, foreign diploma, city administration, open data",
    "science": "telescope, astronomer, open access, paywalled paper, lab notebook, microscope, field study",
    "startup-tools": "co-founder, side hustle, indie maker, first customer, landing page test",
}
