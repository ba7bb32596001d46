"""Stance on SciFact rationale pairs: cross-validated, against the majority and a lexical baseline, with calibration."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from bench.evaluation import measures, pairs, train_stance, vectors
from bench.evaluation.report import Row, above, skipped
from services.evidence.domain.stance import CONFIDENCE_MIN
from services.evidence.domain.stance_model import CLASSES, NAMES

TITLE = "Stance: SciFact rationale pairs, ten folds by connected claims and abstracts, macro-F1"
PLOT = Path("docs/images/stance-calibration.svg")
LEXICAL_BASELINE = ("claim_cover", "negation_passage_only", "negation_claim_only")
# "Well above": at least this much more macro-F1 than the better baseline.
MARGIN = 0.10
ECE_MAX = 0.05
MENTIONS = 2


def run(data: Path) -> list[Row]:
    """Return the stance model's figures; with PIPELINE_EVAL_PLOTS=1 the calibration plot is drawn anew."""
    if not (data / "scifact" / "claims_train.jsonl").is_file():
        return [skipped("model", f"{data / 'scifact'} is absent")]
    found = pairs.pairs(data)
    words_only = train_stance.table(found, with_vectors=False)
    wanted = words_only.classes
    majority = measures.macro_f1(wanted, np.full(len(wanted), np.bincount(wanted).argmax()))
    baseline = _score(words_only.only(LEXICAL_BASELINE))
    rows = [
        Row("majority class", majority),
        Row("overlap and negation", baseline, note="logistic regression on 3 features"),
        Row("model without vectors", _score(words_only)),
    ]
    try:
        full = train_stance.table(found, with_vectors=True)
    except vectors.NoEmbedder as error:
        return [*rows, skipped("model", str(error))]
    probabilities = train_stance.cross_validated(full)
    given = probabilities.argmax(axis=1)
    each = measures.f1_by_class(wanted, given, len(CLASSES))
    bins = measures.calibration(probabilities, wanted)
    ece = measures.expected_calibration_error(bins)
    hard = np.array([pair.hard or pair.stance != CLASSES[MENTIONS] for pair in found])
    sure = given.copy()
    sure[(given != MENTIONS) & (probabilities.max(axis=1) < CONFIDENCE_MIN)] = MENTIONS
    sides = sure != MENTIONS
    if os.environ.get("PIPELINE_EVAL_PLOTS"):
        PLOT.write_text(plot(bins, ece), encoding="utf-8")
    f1 = measures.macro_f1(wanted, given)
    by_class = ", ".join(f"{name} {value:.2f}" for name, value in zip(NAMES, each, strict=True))
    return [
        *rows,
        above("model", f1, f"baseline + {MARGIN}", baseline + MARGIN, note=by_class),
        Row("model, mentions on the subject only", measures.macro_f1(wanted[hard], given[hard])),
        Row(f"model, sides from {CONFIDENCE_MIN} on", measures.macro_f1(wanted, sure), note="as the product shows it"),
        Row("precision of the sides taken", float((sure[sides] == wanted[sides]).mean()),
            note=f"{sides.mean():.0%} of the pairs; the rest is said to mention"),
        Row("expected calibration error", ece, f"<= {ECE_MAX}", holds=ece <= ECE_MAX),
    ]  # fmt: skip


def ablation(data: Path) -> list[tuple[str, float]]:
    """Return what the macro-F1 loses without each group of features: `python -m bench.evaluation.stance`."""
    full = train_stance.table(pairs.pairs(data), with_vectors=True)
    whole = _score(full)
    found = [("whole", whole)]
    for group, beginnings in GROUPS.items():
        dropped = [name for name in full.names if name.startswith(beginnings)]
        found.append((f"without {group} ({len(dropped)})", _score(full.without(dropped)) - whole))
    return found


GROUPS: dict[str, tuple[str, ...]] = {
    "meaning": ("cosine",),
    "overlap": ("claim_cover", "subject_cover", "passage_cover", "pairs", "window", "missing", "first_", "last_"),
    "numbers": ("numbers_",),
    "direction": ("direction", "effect_sign"),
    "value": ("value_",),
    "negation": ("negation", "null_effect", "opposite_prefix"),
    "manner of speaking": ("hedges", "findings", "methods", "comparison", "statistics", "states_", "question"),
    "length": ("length", "clauses"),
}


def _score(data: train_stance.Table) -> float:
    return measures.macro_f1(data.classes, train_stance.cross_validated(data).argmax(axis=1))


def plot(bins: list[measures.Bin], error: float) -> str:
    """Return the calibration plot as SVG: how sure the model was against how often it was right."""
    left, top, size = 60, 40, 360
    total = sum(b.count for b in bins)

    def x(value: float) -> float:
        return round(left + size * value, 1)

    def y(value: float) -> float:
        return round(top + size * (1 - value), 1)

    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 460 460" font-family="sans-serif" font-size="12">',
        "<title>Calibration of the stance model</title>",
        '<rect width="460" height="460" fill="#fff"/>',
        f'<text x="{left}" y="24" font-size="14">Stance: confidence and accuracy over {total:,} held-out pairs '
        f"(ECE {error:.3f})</text>",
    ]
    for tick in range(0, 11, 2):
        value = tick / 10
        parts += [
            f'<line x1="{x(value)}" y1="{y(0)}" x2="{x(value)}" y2="{y(1)}" stroke="#e5e5e5"/>',
            f'<line x1="{x(0)}" y1="{y(value)}" x2="{x(1)}" y2="{y(value)}" stroke="#e5e5e5"/>',
            f'<text x="{x(value)}" y="{y(0) + 18}" text-anchor="middle">{value:.1f}</text>',
            f'<text x="{left - 8}" y="{y(value) + 4}" text-anchor="end">{value:.1f}</text>',
        ]
    parts.append(f'<line x1="{x(0)}" y1="{y(0)}" x2="{x(1)}" y2="{y(1)}" stroke="#888" stroke-dasharray="4 4"/>')
    points = " ".join(f"{x(b.confidence)},{y(b.accuracy)}" for b in bins)
    parts.append(f'<polyline points="{points}" fill="none" stroke="#0b5fa5" stroke-width="2"/>')
    for b in bins:
        radius = round(3 + 12 * (b.count / total) ** 0.5, 1)
        parts.append(
            f'<circle cx="{x(b.confidence)}" cy="{y(b.accuracy)}" r="{radius}" fill="#0b5fa5" fill-opacity="0.5">'
            f"<title>{b.count} pairs: confidence {b.confidence:.2f}, right {b.accuracy:.2f}</title></circle>"
        )
    parts += [
        f'<text x="{x(0.5)}" y="{y(0) + 40}" text-anchor="middle">confidence of the stance</text>',
        f'<text x="16" y="{y(0.5)}" text-anchor="middle" transform="rotate(-90 16 {y(0.5)})">share that was '
        "right</text>",
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    for name, value in ablation(Path("../shared/data")):
        print(f"{name:<40} {value:+.3f}")
