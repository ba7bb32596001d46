"""The last part of the fields of business; see `categories`."""

from __future__ import annotations

from chassis.idea.category import Category

REST: tuple[Category, ...] = (
    Category(
        "pets",
        "Pets and animals",
        "",
        "pet, dog, cat, puppy, kitten, vet clinic, veterinarian, veterinary, dog walker, pet owner, dog owner, "
        "pet sitter, aquarium, horse, "
        "rider, animal shelter, pet food, animal, pet adoption, kennel, reptile",
        "breed, walker, sitter, groomer, shelter, adoption, vet, leash, stable",
        "walk, feed, care",
        {
            "pet": "pet dog cat puppy kitten animal",
            "owner": "pet dog cat",
            "walk": "walker walk",
            "booking": "sitter walker groomer",
            "vaccination": "vet veterinarian veterinary",
            "animal": "shelter horse animal",
        },
        "pet owners",
        "paw tail fetch whisker",
    ),
    Category(
        "fitness",
        "Fitness and sport",
        "Health & fitness",
        "fitness, gym, workout, personal trainer, runner, running, yoga, athlete, sport, marathon, coach, "
        "weight loss, training plan, "
        "exercise, football, soccer, tennis, swimmer, climbing, climber, cyclist training, sports club, "
        "calorie, bodybuilding, pilates, "
        "amateur team, golf, golfer, meditation",
        "trainer, training, habit, muscle, step, wearable, health goal, team, league, nutrition, swim, "
        "physical, posture",
        "motivate, goal, body, track, healthy",
        {
            "workout": "workout gym fitness exercise trainer",
            "training plan": "training marathon coach runner",
            "exercise": "exercise workout",
            "session": "yoga coach trainer class",
            "athlete": "athlete sport runner team",
            "goal": "goal habit",
            "member": "gym club",
            "match": "football soccer tennis league",
        },
        "amateur athletes",
        "fit stride pulse lap",
    ),
    Category(
        "childcare",
        "Parents and childcare",
        "Personal services",
        "parent, baby, toddler, child, kid, babysitter, nanny, daycare, nursery, newborn, breastfeeding, "
        "maternity, family calendar, "
        "screen time, preschool, childcare, working parent, new mother, teen, teenager, bedtime story, "
        "stroller, mum, mom, playdate",
        "family, mother, father, playground, allowance, chore, school run, bedtime, pregnancy",
        "play, care, home, safe",
        {
            "child": "parent baby child kid toddler daycare nursery newborn",
            "family": "family parent",
            "caregiver": "babysitter nanny daycare",
            "booking": "babysitter nanny",
            "chore": "chore",
            "story": "story",
            "activity": "playdate activity preschool",
        },
        "parents",
        "nest cradle kin hop",
    ),
    Category(
        "nonprofit",
        "Charities and giving",
        "",
        "nonprofit, non-profit, charity, donation, donor, volunteer, fundraising, ngo, refugee, food bank, "
        "homeless, social impact, "
        "humanitarian, foundation, church, aid worker, fundraiser, crowdfunding, grant application",
        "community, giving, cause, impact, grant, shelter, poverty, aid, crowdfund",
        "help, support, local",
        {
            "donation": "donation donor charity fundraising",
            "donor": "donor donation charity",
            "volunteer": "volunteer",
            "campaign": "fundraising crowdfunding crowdfund",
            "shift": "volunteer",
            "grant": "grant",
        },
        "charities",
        "give kind hands cause",
    ),
    Category(
        "government",
        "Public sector",
        "",
        "government, municipality, city council, citizen, public sector, town hall, permit, smart city, "
        "police, fire department, civil "
        "security, election, voter, public service, mayor, emergency service, local authority, city official, "
        "urban infrastructure, "
        "first responder, search and rescue, defense, military, public procurement, pothole, army, city planner",
        "city, urban, public, council, regulator, resident, tax office, civic, inspection, infrastructure, "
        "disaster, emergency",
        "service, report, safety",
        {
            "request": "citizen permit council municipality",
            "permit": "permit",
            "case": "citizen public-service",
            "incident": "emergency fire police responder disaster pothole incident",
            "zone": "city urban",
            "citizen": "citizen voter",
            "mission": "rescue drone swarm military army",
        },
        "city administrations",
        "civic forum commons plaza",
    ),
    Category(
        "science",
        "Science and deep technology",
        "",
        "laboratory, scientist, researcher, biotech, pharma, pharmaceutical, drug discovery, protein, enzyme, "
        "genomics, genetic, synthetic "
        "biology, cryo-em, satellite, space agency, orbit, low earth orbit, leo, space debris, quantum sensor, "
        "telescope, microscopy, "
        "clinical trial, cdmo, bioreactor, chemistry, peer review, research paper, molecule, dna, biomarker, "
        "spacecraft, constellation, "
        "hypersonic, wet lab, wet-lab, cell therapy, epigenetic, geoscience, subsoil, seismic, aerospace, "
        "space, fermentation, lab "
        "notebook, earth observation",
        "research, lab, experiment, biology, physics, simulation, r&d, scientific, cell, sample, plasma, "
        "orbital, material, toxicity, "
        "debris, collision, insurer, literature, citation, geological",
        "data, analysis, discovery, model, university",
        {
            "experiment": "experiment lab laboratory wet-lab trial",
            "sample": "sample microscopy cell laboratory",
            "protein": "protein enzyme",
            "sequence": "dna genetic genomics plasmid",
            "satellite": "satellite constellation orbit leo",
            "debris object": "debris",
            "link": "satellite laser optical routing",
            "simulation run": "simulation simulator cfd",
            "paper": "paper literature citation",
            "bioreactor run": "bioreactor fermentation",
            "biomarker": "biomarker epigenetic",
            "survey area": "seismic subsoil geological",
        },
        "research laboratories",
        "lab helix orbit probe",
    ),
    Category(
        "startup-tools",
        "Tools for founders",
        "Business services",
        "startup, startup idea, founder, entrepreneur, pitch deck, accelerator, business idea, idea "
        "validation, venture capital, business "
        "plan, cofounder, co-founder, mvp, solopreneur, indie hacker, side project, angel investor, incubator, vc",
        "idea, validation, pitch, prototype, launch, validate, market research, investor, venture, "
        "product-market fit, customer interview",
        "market, build, score, growth",
        {
            "startup idea": "idea",
            "validation report": "validate validation",
            "founder": "founder startup entrepreneur cofounder",
            "pitch deck": "pitch deck",
            "experiment": "validate validation experiment",
            "evidence item": "validate validation research",
            "investor": "investor vc",
            "interview": "interview",
        },
        "startup founders",
        "proof spark launch north",
    ),
)
