"""The second part of the fields of business; see `categories`."""

from __future__ import annotations

from chassis.idea.categories_rest import REST
from chassis.idea.category import Category

_MIDDLE: tuple[Category, ...] = (
    Category(
        "real-estate",
        "Property and housing",
        "Real estate",
        "real estate, landlord, tenant, property, property manager, lawn, lawn mowing, house cleaning, "
        "apartment, housing, realtor, homebuyer, home buyer, lease, "
        "estate agent, storage space, mortgage broker, "
        "roommate, flatmate, construction site, builder, architect, building "
        "manager, home renovation, "
        "homeowner, co-living, housing association, vacancy, construction, renovation, student housing",
        "house, home, building, rental, rent, room, neighbourhood, neighborhood, renovate, plumbing, "
        "electrician, handyman, interior, "
        "repair, tradespeople, contractor",
        "maintenance, inspection, viewing, move",
        {
            "property": "property landlord tenant real-estate apartment estate housing",
            "tenant": "tenant landlord rent",
            "lease": "lease tenant landlord",
            "viewing": "viewing estate homebuyer",
            "maintenance request": "maintenance repair landlord tenant",
            "listing": "rental apartment realtor roommate",
            "project": "renovation construction builder",
            "quote": "renovation plumber handyman contractor tradespeople",
        },
        "landlords",
        "key nest stead roof",
    ),
    Category(
        "travel",
        "Travel and hospitality",
        "",
        "travel, traveler, traveller, trip, hotel, flight, tourist, tourism, tour, vacation, holiday, "
        "itinerary, hostel, airbnb, guest, "
        "backpacker, airline, airport, booking site, camping, campsite, hike, hiking, hiker, vacation rental, "
        "sightseeing, cruise, "
        "city break, host, group trip, road trip, weekend trip, itineraries",
        "destination, booking, guide, luggage, visa, abroad, local experience, museum, reservation, trail",
        "explore, book, map, local, weekend",
        {
            "trip": "trip travel traveler traveller itinerary vacation holiday",
            "itinerary": "itinerary trip",
            "booking": "booking hotel flight hostel guest",
            "guest": "guest hotel host",
            "tour": "tour tourist tourism",
            "trail": "hike hiking trail",
            "destination": "destination travel",
        },
        "travellers",
        "trek roam atlas stay",
    ),
    Category(
        "energy-climate",
        "Energy and climate",
        "",
        "energy, solar, carbon, carbon accounting, carbon credit, carbon footprint, emission, renewable "
        "energy, wind farm, power "
        "grid, electricity, "
        "electricity network, appliance, wasted electricity, electricity bill, "
        "battery storage, climate, ccs, co2, sustainability, heat pump, charging station, "
        "ev charging, "
        "transmission network, geothermal, nuclear fusion, fusion, plasma, microgrid, grid inertia, "
        "vehicle-to-grid, carbon reporting, carbon auditor, carbon market, scope 3, dac company, tso, photovoltaic, "
        "greenwashing, carbon capture, recycling, net zero, energy bill, inertia",
        "grid, wind, battery, power, emit, recycle, waste, heating, insulation, sustainable, blackout, esg, "
        "turbine, plastic, reactor, "
        "electric vehicle",
        "utility, meter, green, efficiency, fuel, storage, energy consumption",
        {
            "meter reading": "meter electricity energy-bill energy consumption",
            "site": "solar wind grid building",
            "carbon credit": "carbon credit",
            "emission record": "emission carbon footprint co2 esg",
            "storage site": "ccs sequestration geological",
            "battery": "battery",
            "grid event": "blackout frequency inertia grid",
            "audit": "audit auditor certify",
            "charging session": "charging ev",
            "plasma run": "plasma",
            "turbine": "turbine wind",
        },
        "energy operators",
        "volt grid leaf current",
    ),
    Category(
        "legal",
        "Legal services",
        "Attorneys & legal services",
        "lawyer, attorney, law firm, legal, contract review, court, litigation, compliance officer, patent, "
        "trademark, lawsuit, paralegal, "
        "notary, immigration lawyer, legal advice, gdpr request, divorce, arbitration, small claims, tenant "
        "right, dispute, legal aid, "
        "will writing, nda",
        "contract, compliance, regulation, clause, immigrant, visa application, claim, privacy policy, "
        "regulatory, policy",
        "document, review, agreement, right, evidence",
        {
            "case": "lawyer attorney court litigation claim dispute legal",
            "client": "lawyer attorney law-firm law",
            "contract": "contract clause nda",
            "deadline": "court deadline",
            "filing": "filing patent trademark visa",
            "obligation": "compliance regulation regulatory",
        },
        "law firms",
        "clause brief docket writ",
    ),
    Category(
        "entertainment",
        "Entertainment and media",
        "",
        "music, musician, gamer, gaming, video, film, movie, streaming, concert, festival, ticket, event, "
        "artist, dj, band, esports, "
        "book, reader, author, writer, comic, podcast, podcaster, podcast listener, "
        "photographer, photo, video editor, theatre, "
        "theater, board game, story, "
        "filmmaker, venue, playlist, art, indie game, storytelling",
        "game, song, show, play, audience, fan, media, creator, news, journalist, publisher, record, karaoke, "
        "club, quiz night, bookworm",
        "watch, listen, fun, share, creative",
        {
            "event": "event concert festival venue",
            "ticket": "ticket concert event",
            "track": "music song playlist musician",
            "artist": "artist musician dj band",
            "game": "game gamer gaming",
            "book": "book reader author",
            "story": "story writer",
            "photo": "photo photographer",
            "clip": "video film streaming",
        },
        "fans",
        "stage tune play reel",
    ),
    Category(
        "social",
        "Community and social life",
        "",
        "dating, friend, friendship, social network, community, neighbor, neighbour, repair cafe, meetup, date, "
        "lonely, "
        "loneliness, chat app, couple, "
        "introvert, expat, newcomer, hobby group, family member, grandparent, relationship, wedding, social "
        "club, online community, "
        "time bank, mutual aid",
        "group, share, meet, message, member, family, local, people, hobby, chat, social, immigrant, party, interest",
        "connect, find, together, moment, memory",
        {
            "member": "community group club dating friend member expat",
            "profile": "dating friend couple network",
            "event": "meetup party event wedding",
            "message": "chat message",
            "match": "match dating",
            "group": "group community hobby",
            "post": "community neighbor neighbour",
            "guest": "wedding party",
        },
        "people who are new in town",
        "circle kin hearth meet",
    ),
    Category(
        "security",
        "Security",
        "Business services",
        "cybersecurity, cyber security, phishing, malware, ransomware, vulnerability, encryption, "
        "cryptography, post-quantum, post-quantum "
        "cryptography, pqc, ciso, zero trust, intrusion, password, authentication, identity and access "
        "management, threat detection, ics, "
        "scada, plc, firewall, quantum computer, hacker, cryptographic, spoofing, backdoor, devsecops, network "
        "detection, security "
        "audit, pii, data breach, supply chain attack, man-in-the-middle, firmware update, hack, stuxnet, rsa, "
        "sbom, rogue ai agent, "
        "malicious, harvest now, store now, decrypt later, hardware trojan, deepfake",
        "security, attack, attacker, threat, protect, compliance, access control, access right, "
        "permission, encrypt, decrypt, "
        "intercept, vulnerable, firmware, "
        "compromised, tamper, authenticate, unauthorized, privacy, fraud detection, leak, authenticate",
        "secure, safe, infrastructure, audit, monitor, network, malicious, defense, block",
        {
            "asset": "infrastructure plc scada ics firmware network device",
            "alert": "detect attack threat intrusion monitor block",
            "vulnerability": "vulnerability vulnerable patch",
            "certificate": "certificate cryptography cryptographic rsa pqc post-quantum encryption",
            "access request": "access permission authentication",
            "incident": "breach ransomware attack phishing",
            "firmware image": "firmware",
            "component": "sbom library dependency",
            "policy rule": "redact block filter",
            "cryptographic asset": "pqc post-quantum rsa",
        },
        "security teams",
        "shield vault sentry ward",
    ),
    Category(
        "manufacturing",
        "Manufacturing and robotics",
        "",
        "manufacturer, manufacturing, factory, production line, machine operator, industrial, robot, robotics, "
        "cobot, predictive "
        "maintenance, assembly line, 3d printing, cnc, semiconductor, foundry, chip designer, chip, quality "
        "control, spare part, "
        "gigafactory, plant manager, robotic, humanoid robot, cfd, solid-state battery, battery, hpc, cell "
        "manufacturer, machine shop, "
        "defect, photonic chip, bioreactor, workshop, downtime, world model, welding, digital twin",
        "machine, production, sensor, component, supplier, tool, equipment, materials, material, hardware, "
        "maintenance, plant, simulation, "
        "automation, simulator, chemical, engineering, metrology, physics, warehouse, object",
        "quality, yield, process, inspect, industry, test, design",
        {
            "machine": "machine factory industrial equipment robot",
            "production run": "production manufacturing bioreactor yield",
            "defect": "defect quality",
            "maintenance task": "maintenance downtime",
            "part": "part spare component",
            "robot": "robot robotics cobot robotic",
            "simulation run": "simulation simulator cfd physics",
            "battery cell": "battery cell",
            "chip design": "chip semiconductor photonic",
            "sensor reading": "sensor",
        },
        "factories",
        "forge line mill works",
    ),
    Category(
        "mobility",
        "Mobility and vehicles",
        "Automotive repair, service & parts",
        "car, vehicle, driver, parking, bike, bicycle, cyclist, scooter, ride-sharing, carpool, carpooling, "
        "commuter, taxi, bus, train, "
        "public transport, mechanic, car repair, ev driver, autonomous vehicle, robotaxi, fleet of autonomous, "
        "road, traffic, drone "
        "operator, evtol, garage, car owner, motorcycle, driving school, autonomous vehicle fleet, ride",
        "fleet, commute, transport, electric car, charging, navigation, gps, intersection, mobility, gnss, "
        "drone, aviation, pilot, "
        "fuel, tyre, tire",
        "route, city, trip, map, swarm",
        {
            "vehicle": "car vehicle fleet autonomous scooter taxi van",
            "trip": "trip ride carpool carpooling commuter commute",
            "parking space": "parking",
            "driver": "driver taxi",
            "repair job": "repair mechanic garage",
            "bike": "bike bicycle cyclist",
            "flight": "drone evtol flight",
            "position fix": "gps gnss navigation",
        },
        "drivers",
        "drive lane wheel go",
    ),
)
MORE = _MIDDLE + REST
