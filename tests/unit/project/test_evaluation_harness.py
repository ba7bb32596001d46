"""The evaluation: measures by their definitions, a table that says what was missed, and skips that say why."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.evaluation import __main__ as command
from bench.evaluation import measures, retrieval, stance, train_stance
from bench.evaluation.report import Row, above, at_least, skipped, table


def test_auc_is_the_share_of_pairs_in_order() -> None:
    """One of four pairs is the wrong way round, one is a tie."""
    scores, same = np.array([0.9, 0.4, 0.4, 0.5]), np.array([True, True, False, False])
    assert measures.auc(scores, same) == pytest.approx((2 + 0.5 + 0) / 4)


def test_spearman_sees_order_only() -> None:
    """Any rising curve is 1, any falling one -1."""
    x = np.array([1.0, 2.0, 3.0, 4.0])
    assert measures.spearman(x, x**3) == pytest.approx(1.0)
    assert measures.spearman(x, -np.exp(x)) == pytest.approx(-1.0)


def test_macro_f1_gives_each_class_the_same_weight() -> None:
    """Always to answer the majority is worth a third of its F1."""
    wanted = np.array([0, 1, 2, 2])
    assert measures.macro_f1(wanted, np.full(4, 2)) == pytest.approx((2 * 2 / 6) / 3)


def test_a_calibrated_model_has_no_calibration_error() -> None:
    """Right in as many cases as it says; a braggart is off by the difference."""
    honest = np.tile([0.75, 0.25, 0.0], (4, 1))
    assert measures.expected_calibration_error(measures.calibration(honest, np.array([0, 0, 0, 1]))) == 0.0
    braggart = np.tile([1.0, 0.0, 0.0], (4, 1))
    bins = measures.calibration(braggart, np.array([0, 0, 1, 1]))
    assert measures.expected_calibration_error(bins) == pytest.approx(0.5)


def test_ndcg_is_one_for_the_best_order_and_falls_with_rank() -> None:
    """The only relevant document first, second, and not among the ten."""
    scores = np.arange(20, 0, -1.0)
    assert retrieval.ndcg(scores, {0}) == 1.0
    assert retrieval.ndcg(scores, {1}) == pytest.approx(1 / np.log2(3))
    assert retrieval.ndcg(scores, {15}) == 0.0


def test_the_fusions_short_cut_finds_the_same_best_documents() -> None:
    """Documents that cannot be among the best are not computed, and the best are the same."""
    drawn = np.random.default_rng(1)
    lexical, cosine = drawn.random(2_000), drawn.random(2_000).astype(np.float32)
    short = retrieval._fused(lexical, cosine)
    whole = np.array([retrieval.scoring.hybrid(float(x), float(c)) for x, c in zip(lexical, cosine, strict=True)])
    assert np.argsort(-short, kind="stable")[:10].tolist() == np.argsort(-whole, kind="stable")[:10].tolist()


def test_no_group_stands_in_two_folds() -> None:
    """What shares a claim or an abstract is tested together."""
    groups = np.array([3, 3, 7, 7, 7, 9, 1, 1])
    folds = train_stance.folds(groups, 3)
    assert all(len(set(folds[groups == g])) == 1 for g in set(groups.tolist()))


def test_training_finds_what_separates_the_classes_and_says_how_sure_it_is() -> None:
    """Three clouds of points are told apart, with probabilities that sum to one."""
    drawn = np.random.default_rng(2)
    classes = np.repeat([0, 1, 2], 60)
    values = drawn.normal(size=(180, 2)) + np.array([[3, 0], [-3, 0], [0, 3]])[classes]
    fitted = train_stance.fit(values, classes, np.arange(180))
    given = fitted.probabilities(values)
    assert given.sum(axis=1) == pytest.approx(1.0)
    assert (given.argmax(axis=1) == classes).mean() > 0.9


def test_the_table_marks_what_is_missed_and_says_what_was_skipped() -> None:
    """Rows are aligned; a bound is held, missed, or not promised."""
    rows = [at_least("good", 0.9, 0.8), above("bad", 0.5, "floor", 0.6), Row("plain", 0.1), skipped("gone", "no data")]
    text = table([("Section", rows)])
    assert "holds" in text.splitlines()[1]
    assert "MISSED" in text.splitlines()[2]
    assert "skipped: no data" in text


def test_absent_data_is_skipped_with_its_place(tmp_path: Path) -> None:
    """Without the data sets nothing is measured and nothing is missed."""
    sections = command.measure(tmp_path, ("retrieval", "embedder", "stance", "product_matching"))
    assert all(row.value is None and str(tmp_path) in row.note for _, rows in sections for row in rows)


def test_an_unknown_section_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """The message lists those that exist."""
    with pytest.raises(SystemExit):
        command.main(["retrival"])
    assert "retrieval" in capsys.readouterr().err


def test_the_calibration_plot_shows_every_bin() -> None:
    """A circle for each bin and the error in its title line."""
    bins = [measures.Bin(0.4, 0.5, 10, 0.45, 0.4), measures.Bin(0.6, 0.7, 30, 0.65, 0.7)]
    drawn = stance.plot(bins, 0.05)
    assert drawn.count("<circle") == 2
    assert "ECE 0.050" in drawn
