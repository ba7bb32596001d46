"""Stance on business talk: the stance model never saw any, so that what it does there is measured apart.

Sixty passages of our own wording, as people write in forums, reports and news, each labelled by hand against a claim
worded as the pipeline words them. Small, by the authors of the rules, and no substitute for a labelled corpus: it
shows whether the model helps or harms beside the cues, and little more.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bench.evaluation import measures, vectors
from bench.evaluation.report import Row, skipped
from pipeline.v1 import common_pb2 as pb
from services.evidence.domain.model import Candidate, Found, IdeaFacts, Query
from services.evidence.domain.stance import judge
from services.evidence.domain.stance_model import CLASSES
from services.evidence.stance_data import stance_models

TITLE = "Stance on 60 business passages of our own wording, labelled by hand, macro-F1"

# Claim, kind, then (label, passage): + supports, - contradicts, 0 mentions.
CASES: tuple[tuple[str, int, tuple[tuple[str, str], ...]], ...] = (
    ("Small clinics lose time or money to no-shows often enough to look for a remedy.", pb.CLAIM_KIND_PROBLEM, (
        ("+", "Missed appointments cost our practice about 200 dollars a day, and nothing we tried has fixed it."),
        ("+", "One patient in five does not turn up, so the doctor sits idle and the waiting list grows."),
        ("+", "I run the front desk of a clinic and no-shows are the worst part of my week."),
        ("-", "Since we began to charge for missed visits, no-shows are rare in our clinic, and nobody worries."),
        ("-", "In small clinics no-shows are not a real problem: walk-ins fill the gap within minutes."),
        ("-", "We looked at a year of bookings and found that missed appointments had no effect on revenue."),
        ("0", "The clinic opened in 2012 and has four doctors and a laboratory."),
        ("0", "A no-show is an appointment to which the patient does not come and which nobody cancelled."),
        ("0", "This article explains how clinics can set up their booking calendar."),
    )),
    ("Households lose money to spoiled food often enough to look for a remedy.", pb.CLAIM_KIND_PROBLEM, (
        ("+", "Every month we bin half of the vegetables because somebody forgot them at the back of the fridge."),
        ("+", "The average household throws away food worth 1,500 dollars a year, the survey found."),
        ("-", "We plan our meals and hardly ever waste food; I do not see who has this trouble."),
        ("0", "Food should be kept below five degrees in a household fridge."),
        ("0", "The cookbook has a chapter on how a household can store food through the winter."),
        ("0", "Do you keep eggs in the fridge or on the shelf?"),
    )),
    ("Finance teams can be reached at an affordable cost and would try a tool to detect invoice fraud.",
     pb.CLAIM_KIND_AUDIENCE, (
        ("+", "Our finance team would love something that flags fake invoices before we pay."),
        ("+", "We are a finance team of three and looking for a tool that catches duplicate invoices."),
        ("+", "Two thirds of the finance leads we asked signed up for the trial of the invoice checker."),
        ("-", "Finance teams here do not trust outside software with invoices and stopped using the one they had."),
        ("-", "We offered the invoice tool to forty finance teams and none of them wanted to try it."),
        ("0", "Invoices are kept for ten years by the finance team."),
        ("0", "The finance team sits on the third floor, next to purchasing."),
    )),
    ("Enough clinics want to reduce no-shows to carry a business in appointment scheduling.",
     pb.CLAIM_KIND_MARKET_SIZE, (
        ("+", "Spending on appointment scheduling by clinics grew by 18 % last year and is expected to double."),
        ("+", "There are 230,000 clinics, and most of them pay for scheduling software already."),
        ("-", "The market for clinic scheduling is shrinking as hospital chains buy up small clinics."),
        ("-", "Scheduling for clinics is a tiny market with a handful of buyers."),
        ("0", "Scheduling software assigns appointments to rooms and staff."),
        ("0", "The report covers scheduling, billing and records of clinics in four countries."),
    )),
    ("No established product already helps clinics reduce no-shows well enough.", pb.CLAIM_KIND_COMPETITION, (
        ("+", "We tried four scheduling tools, and none could fill a slot that was cancelled at short notice."),
        ("+", "I could not find any software for this, so our clinic still keeps the waiting list on paper."),
        ("-", "There are already dozens of reminder tools for clinics, and the large ones do this well."),
        ("-", "We switched to a booking system that texts patients, and it cut no-shows by half."),
        ("-", "Most practice management suites include reminders and waitlists at no extra charge."),
        ("0", "Clinics use software for records, billing and booking."),
        ("0", "Here is how to choose the colour scheme of your clinic's booking page."),
    )),
    ("Clinics would pay a recurring fee for a scheduling tool to reduce no-shows.",
     pb.CLAIM_KIND_WILLINGNESS_TO_PAY, (
        ("+", "We pay 90 dollars a month for the scheduling tool, and it is worth every cent."),
        ("+", "If it fills two cancelled slots a week, I would gladly pay for it."),
        ("+", "Nine in ten clinics in the trial bought a subscription to the scheduling tool when it ended."),
        ("-", "Our clinic cancelled the scheduling tool: too expensive for what it does."),
        ("-", "Small clinics have no budget for another monthly fee and will not pay for reminders."),
        ("-", "Nobody at our clinic would spend money on this when the calendar does it for free."),
        ("0", "The scheduling tool can be set to send reminders a day ahead."),
        ("0", "What does your clinic use for scheduling?"),
    )),
    ("Today's technology makes automatic reading of invoices reliable enough for finance teams.",
     pb.CLAIM_KIND_FEASIBILITY, (
        ("+", "In tests the model read 98 % of invoices without a mistake."),
        ("+", "We built a reader for invoices with open-source parts, and it has been in production for a year."),
        ("-", "Invoice readers still get every tenth amount wrong, so that somebody has to check each page."),
        ("-", "Automatic reading of invoices is unreliable: handwriting and stamps are misread."),
        ("0", "An invoice states the seller, the buyer, the amount and the date."),
        ("0", "We compared how finance teams in five countries file their invoices."),
    )),
    ("Demand from households for help to waste less food is growing now.", pb.CLAIM_KIND_TIMING, (
        ("+", "Searches for food waste apps rose by 40 % in a year."),
        ("+", "A new law obliges cities to collect food waste apart, and households ask how to have less of it."),
        ("+", "Since prices went up, more households than ever try to use up what they have."),
        ("-", "Interest in food waste apps peaked years ago and has fallen ever since."),
        ("-", "Households care less about wasted food than they did a decade ago, the survey shows."),
        ("-", "Downloads of food waste apps are declining."),
        ("0", "The app sorts food by the date on the package."),
        ("0", "Food waste is food that is fit to eat and is thrown away."),
        ("0", "The city collects food waste on Tuesdays."),
        ("0", "Here is what households in our town put into the bin for paper."),
        ("0", "Food waste makes up a part of what households throw away, next to paper and glass."),
    )),
)  # fmt: skip

_LABELS = {"+": 0, "-": 1, "0": 2}


def run(data: Path) -> list[Row]:
    """Return macro-F1 of the cues alone and of the model with them. Needs no data set."""
    found = [
        (Query("d", "c", pb.ClaimKind.ValueType(kind), claim, (), IdeaFacts(claim)), label, passage)
        for claim, kind, passages in CASES
        for label, passage in passages
    ]
    wanted = np.array([_LABELS[label] for _, label, _ in found])
    rules = _judged([(query, passage, None) for query, _, passage in found], with_model=False)
    rows = [
        Row("majority class", measures.macro_f1(wanted, np.full(len(wanted), 2))),
        Row("cues alone", measures.macro_f1(wanted, rules), note=_precision(rules, wanted)),
    ]
    words_only = _judged([(query, passage, None) for query, _, passage in found], with_model=True)
    rows.append(Row("model and cues, without vectors", measures.macro_f1(wanted, words_only)))
    try:
        cosines = _cosines([query.text for query, _, _ in found], [passage for _, _, passage in found])
    except vectors.NoEmbedder as error:
        return [*rows, skipped("model and cues", str(error))]
    both = _judged([(q, p, c) for (q, _, p), c in zip(found, cosines, strict=True)], with_model=True)
    return [
        *rows,
        Row("model and cues", measures.macro_f1(wanted, both), f"cues {rows[1].value:.3f}",
            note=_precision(both, wanted)),
    ]  # fmt: skip


def _precision(given: measures.Places, wanted: measures.Places) -> str:
    sides = given != 2
    return f"precision of the {sides.sum()} sides taken {(given[sides] == wanted[sides]).mean():.2f}"


def _cosines(claims: list[str], passages: list[str]) -> list[float]:
    return [float(c) for c in (vectors.embed(claims) * vectors.embed(passages)).sum(axis=1)]


def _judged(cases: list[tuple[Query, str, float | None]], with_model: bool) -> measures.Places:
    models = stance_models() if with_model else None
    given = []
    for query, passage, cosine in cases:
        source = Found("own", "document:own", "", passage, pb.SOURCE_TYPE_COMMUNITY)
        # All are on their subject: whether a passage is about its claim is another question.
        candidate = Candidate(source, query, 0, len(passage), cosine=cosine, relevance=0.7)
        given.append(CLASSES.index(judge(candidate, models).stance))
    return np.array(given)
