"""Fields of business: the words that speak for each, their usual things, buyers and name endings; plain data.

A term is matched on lemmas. `strong` counts 3, `medium` 2, `weak` 1. An entity is offered when one of its triggers is
in the idea. `segment` equals a segment of the search advertising benchmarks, or is empty where none fits.
"""

from __future__ import annotations

from chassis.idea.categories_more import MORE
from chassis.idea.category import Category

_FIRST: tuple[Category, ...] = (
    Category(
        "food",
        "Food and kitchen",
        "Restaurants & food",
        "recipe, food waste, restaurant, grocery, groceries, meal, meal planning, kitchen, leftover, chef, "
        "diner, pantry, fridge, "
        "expiry date, coffee, cake, bread, pastry, cheese, baker, home baker, catering, caterer, bakery, menu, "
        "cooking, vegan, snack, takeaway, takeout",
        "food, ingredient, cook, dish, nutrition, coffee, beverage, cafe, beer, wine, brewery, allergen, "
        "lunch, dinner, breakfast, "
        "supermarket, baker, spice, tea, home cook, farmers market",
        "eat, taste, fresh, kitchen, household, waste, expire, surplus",
        {
            "pantry item": "expiry expire pantry fridge leftover food grocery ingredient",
            "recipe": "recipe cook meal",
            "meal plan": "meal",
            "order": "order takeaway delivery restaurant",
            "dish": "menu dish restaurant chef",
            "table booking": "table reservation",
            "surplus listing": "surplus",
        },
        "home cooks",
        "wise plate larder crumb",
    ),
    Category(
        "health",
        "Health care",
        "Physicians & surgeons",
        "patient, clinic, doctor, physician, hospital, nurse, medical, health care, healthcare, telehealth, "
        "telemedicine, therapist, "
        "therapy, physiotherapy, dentist, dental, medication, prescription, diagnosis, symptom, caregiver, "
        "elderly care, mental health, pill, "
        "elderly people, blood, "
        "chronic, diabetes, surgery, surgeon, cancer, dementia, sleep, back pain, insomnia, no-show, "
        "health record, medicine, pharmacy, clinical",
        "health, care, disease, pain, appointment, carer, sleep, anxiety, depression, disability, wheelchair, "
        "hearing, pregnancy, "
        "midwife, biomarker, longevity, ageing, aging, nursing home",
        "wellbeing, wellness, senior, reminder, waitlist, treatment, biotech, oncology",
        {
            "patient": "clinic patient doctor physiotherapy dental dentist hospital nurse therapist no-show medical",
            "appointment": "clinic appointment no-show scheduling schedule booking dentist doctor",
            "reminder": "reminder remind",
            "waitlist entry": "waitlist waiting",
            "prescription": "prescription pharmacy",
            "medication": "medication medicine",
            "care plan": "caregiver carer care",
            "symptom entry": "symptom",
            "consultation": "telehealth telemedicine consultation",
        },
        "clinics",
        "well care chart vita",
    ),
    Category(
        "fintech",
        "Finance and payments",
        "Finance & insurance",
        "invoice, payment, bank, banking, lender, lending, credit card, credit risk, loan, insurance, insurer, "
        "accounting, accountant, bookkeeping, "
        "tax, payroll, fraud, fraudulent, budget, budgeting, invest, investing, investor, investment, "
        "mortgage, expense, finance, financial, "
        "crypto, digital wallet, crypto wallet, e-wallet, mobile wallet, "
        "remittance, pension, savings, debt, cash flow, actuary, cfo, accounts payable",
        "pay, money, transaction, saving, refund, stock, trading, currency, audit, chargeback, receivable, "
        "payable, pocket money, "
        "billing, credit score",
        "credit, price, cost, budget, revenue, spend, rent",
        {
            "invoice": "invoice payable",
            "supplier": "invoice supplier vendor payable",
            "payment": "pay payment payroll remittance",
            "expense": "expense budget spending",
            "account": "bank banking account saving wallet",
            "transaction": "transaction fraud crypto spending",
            "loan application": "loan lending lender credit",
            "policy": "insurance insurer",
            "budget": "budget budgeting",
            "fraud alert": "fraud fraudulent",
            "receipt": "receipt expense bookkeeping",
            "tax return": "tax",
        },
        "finance teams",
        "ledger guard mint tally",
    ),
    Category(
        "education",
        "Education and learning",
        "Education & instruction",
        "student, tutor, tutoring, teacher, school, learn, learning, lesson, course, classroom, education, "
        "curriculum, homework, exam, "
        "university, college, language learning, flashcard, e-learning, pupil, lecture, learner, quiz, "
        "literacy, kindergarten, high school",
        "teach, study, training, skill, academic, degree, professor, campus, mentor, coding bootcamp, "
        "bootcamp, grade, tuition, class, "
        "apprentice, internship, scholarship",
        "knowledge, practice, vetted, online, certificate, math, reading",
        {
            "student": "student pupil learner school tutor",
            "tutor": "tutor tutoring",
            "lesson": "lesson tutor tutoring course class",
            "course": "course curriculum",
            "booking": "lesson tutor mentor",
            "review": "vetted vet rating",
            "assignment": "homework assignment teacher",
            "quiz": "quiz exam flashcard",
            "teacher": "teacher",
            "mentor": "mentor",
        },
        "students",
        "path mentor bright bridge",
    ),
    Category(
        "agriculture",
        "Agriculture and farming",
        "",
        "farm, farmer, farming, crop, grower, irrigate, irrigation, soil, livestock, cattle, dairy, harvest, "
        "agriculture, agricultural, "
        "agronomist, orchard, vineyard, greenhouse, pesticide, fertilizer, fertiliser, beekeeper, beehive, "
        "precision agriculture, "
        "smallholder, tractor, seed, poultry, herd",
        "field, spray, plant, weed, pest, acre, rural, yield, grain, fishery, aquaculture, ranch, garden, gardener",
        "drone, scan, satellite, weather, water, sensor",
        {
            "field": "field farm crop grower",
            "farm": "farm farmer grower",
            "scan": "scan drone satellite imagery",
            "crop": "crop grower harvest",
            "treatment zone": "spray irrigate irrigation pesticide fertilizer",
            "animal": "livestock cattle dairy herd",
            "hive": "beehive beekeeper",
            "sensor reading": "sensor soil",
            "recommendation": "tell recommend advise",
        },
        "farmers",
        "acre field grove terra",
    ),
    Category(
        "developer-tools",
        "Developer tools",
        "",
        "developer, api, source code, software engineer, software development, codebase, github, ci/cd, "
        "devops, debugging, debug, compiler, sdk, "
        "repository, pull request, microservice, kubernetes, database, legacy system, legacy code, fuzzing, "
        "schema, engineering team, "
        "programmer, api gateway, middleware, open-source, open source, mainframe, symbolic execution, code review",
        "code, deploy, deployment, software, backend, frontend, cloud, server, latency, test suite, unit test, "
        "log, container, library, proxy, "
        "plugin, low-code, no-code, infrastructure, release, bug",
        "engineer, engineering, production, integration, testing, documentation, bottleneck",
        {
            "project": "project repository codebase code",
            "api": "api schema",
            "build": "ci/cd build deploy",
            "test run": "test testing fuzzing",
            "incident": "incident outage",
            "service": "microservice middleware gateway proxy",
            "change request": "pull release",
            "issue": "bug issue debug debugging",
        },
        "software teams",
        "forge stack patch loop",
    ),
    Category(
        "ai-infrastructure",
        "AI infrastructure",
        "",
        "ai agent, autonomous agent, agent, llm, prompt, prompt injection, token budget, model weight, rag, "
        "fine-tuning, inference, "
        "mlops, ml engineer, model collapse, synthetic data, hallucination, embedding, vector similarity, gpu, "
        "ai model, "
        "machine learning model, inter-agent, rogue ai, ai chip, agentic, training data, foundation model, "
        "conversation history, model provider, model poisoning, ai company",
        "model, dataset, vector, semantic, machine learning, deep learning, neural network, data scientist, "
        "token, knowledge graph",
        "ai, deterministic, autonomous, intelligent, loop, cache",
        {
            "agent": "agent",
            "agent call": "agent call-graph loop",
            "prompt": "prompt llm",
            "model": "model checkpoint weight",
            "policy rule": "policy rule deterministic limiting permission",
            "incident": "loop zombie rogue deadlock crash",
            "dataset": "dataset data-set synthetic",
            "cache entry": "cache",
            "token budget": "token cost",
            "evaluation run": "simulation test confidence",
        },
        "teams that run AI agents in production",
        "gate relay warden mesh",
    ),
    Category(
        "business-operations",
        "Business operations",
        "Business services",
        "workflow, back office, crm, erp, procurement, supplier management, contract management, small "
        "business, spreadsheet, "
        "project management, customer support, customer service, help desk, helpdesk, ticketing, document management, "
        "b2b saas, freelancer, invoicing, field service, contractor, team collaboration, facility, cleaning "
        "company, business owner",
        "business, company, operation, scheduling, task, meeting, productivity, collaboration, document, "
        "approval, meeting note, vendor, office, client, agency, quote, quoting, consultant, enterprise, booking",
        "team, automate, automation, efficiency, manager, report, staff, calendar",
        {
            "task": "task project workflow",
            "client": "client freelancer agency consultant customer",
            "meeting": "meeting",
            "document": "document contract",
            "ticket": "support ticket helpdesk",
            "project": "project",
            "team member": "team staff",
            "job": "contractor field-service cleaning plumber",
            "quote": "quote quoting",
            "supplier": "supplier vendor procurement",
            "booking": "booking appointment schedule scheduling",
        },
        "small businesses",
        "flow desk works tidy",
    ),
    Category(
        "hr",
        "Hiring and people",
        "Business services",
        "recruiter, recruiting, recruitment, hiring, candidate, employee, job seeker, resume, cv, hr, human "
        "resources, onboarding, talent, "
        "workforce, payslip, staffing, performance review, interview, payroll team, new hire, rota, employee "
        "engagement",
        "job, employer, shift, shift worker, worker, career, workplace, staff, salary, leave, intern, gig "
        "worker, applicant, employment",
        "hire, team, manager, skill, remote",
        {
            "candidate": "candidate recruiter hiring resume cv applicant",
            "job posting": "job hiring recruiter",
            "application": "candidate applicant job",
            "employee": "employee workforce onboarding payslip",
            "shift": "shift rota staffing",
            "interview": "interview",
        },
        "hiring managers",
        "hire crew roster lane",
    ),
    Category(
        "marketing",
        "Marketing and sales",
        "Business services",
        "marketing, marketer, advertiser, advertising, ad campaign, seo, social media post, influencer, brand, "
        "lead generation, sales team, "
        "newsletter, content creator, email campaign, copywriting, sales rep, landing page, crm lead, "
        "customer acquisition, "
        "e-mail campaign, salespeople, sales call, affiliate",
        "campaign, lead, content, audience, creator, sales, loyalty, engagement, customer feedback, churn, "
        "outreach, pr",
        "post, conversion, click, promote, customer, review",
        {
            "campaign": "campaign ad advertiser",
            "lead": "lead sales",
            "post": "post social-media content",
            "creator": "influencer creator",
            "newsletter": "newsletter",
            "contact": "crm outreach customer",
            "call note": "sales-call call",
        },
        "marketing teams",
        "reach lift signal pitch",
    ),
    Category(
        "retail",
        "Retail and shopping",
        "Shopping, collectibles & gifts",
        "shop, shopper, retailer, e-commerce, ecommerce, online store, fashion, clothing, clothes, wardrobe, "
        "second-hand, thrift, shopify, "
        "checkout, gift, collectible, boutique, merchandise, resale, jewelry, jewellery, cosmetics, beauty, "
        "marketplace seller, sneaker, "
        "furniture, toy, handmade, artisan, shoe, outfit",
        "store, product return, inventory, seller, buyer, consumer, apparel, product, price comparison, size, "
        "discount, coupon, makeup, "
        "stock",
        "sell, buy, order, return, customer, brand, price",
        {
            "product": "product shop retailer store e-commerce ecommerce inventory stock",
            "order": "order checkout shopper store",
            "listing": "second-hand resale marketplace thrift handmade",
            "seller": "seller resale artisan",
            "return": "return",
            "outfit": "outfit wardrobe clothing clothes",
            "gift": "gift",
            "stock item": "inventory stock",
        },
        "online shoppers",
        "shelf find basket loop",
    ),
    Category(
        "logistics",
        "Logistics and delivery",
        "Business services",
        "logistics, delivery, courier, warehouse, freight, truck, trucker, shipping, shipper, supply chain, "
        "last-mile, parcel, cargo, "
        "dispatcher, delivery route, haulier, carrier, container ship, port, cold chain, shipment, pallet, "
        "route planning",
        "fleet, route, inventory, package, transport, driver, distribution, stock, customs, dispatch, load",
        "track, vehicle, supplier, fuel, trip",
        {
            "shipment": "freight shipping shipper shipment parcel cargo logistics courier delivery",
            "route": "route truck driver delivery",
            "driver": "driver courier truck trucker",
            "vehicle": "fleet truck van vehicle",
            "warehouse": "warehouse",
            "load": "load freight",
            "inventory item": "inventory warehouse",
        },
        "logistics operators",
        "haul lane dock route",
    ),
)
CATEGORIES: tuple[Category, ...] = _FIRST + MORE
GENERAL = Category("general", "General", "", "", "", "", {}, "", "hub kit wise path")
