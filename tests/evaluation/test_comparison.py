"""The comparison of two runs against permutations, row-by-row bootstraps and p-values computed by hand."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from oof import write_finished_run
from sklearn.metrics import accuracy_score, f1_score

from kobert_hf_emotion.cli import main
from kobert_hf_emotion.errors import KoBERTEmotionError, RunError
from kobert_hf_emotion.evaluation.comparison import Comparison, Difference, compare_runs
from kobert_hf_emotion.metrics.bootstrap import Interval, resample_counts
from kobert_hf_emotion.metrics.mcnemar import McNemar, mcnemar
from kobert_hf_emotion.tasks.multi_label import MultiLabel
from kobert_hf_emotion.tasks.soft import Soft

LABELS = ["슬픔", "기쁨", "분노"]


def logits_of(predictions: np.ndarray) -> np.ndarray:
    return np.eye(3)[predictions] * 2.0


def noisy(truth: np.ndarray, right: float, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.where(random.random(len(truth)) < right, truth, random.integers(0, 3, len(truth)))


def make_runs(folder: Path, rows: int = 300, right: tuple[float, float] = (0.4, 0.7)) -> list[Path]:
    truth = np.random.default_rng(0).integers(0, 3, rows)
    texts = [f"문장 {index}" for index in range(rows)]
    return [
        write_finished_run(folder / name, logits_of(noisy(truth, share, seed)), truth, LABELS, texts)
        for seed, (name, share) in enumerate(zip("ab", right, strict=True), start=1)
    ]


def macro_f1(labels: np.ndarray, predicted: np.ndarray) -> float:
    """From the definition, for classes that all occur; scikit-learn's takes milliseconds a call."""
    counts = np.array([[((labels == c) & (predicted == d)).sum() for d in range(3)] for c in range(3)])
    return float((2 * counts.diagonal() / (counts.sum(0) + counts.sum(1))).mean())


def test_scores_and_interval_are_those_of_drawing_rows(tmp_path: Path) -> None:
    first, second = make_runs(tmp_path, rows=200)
    found = compare_runs(first, second)
    truth = np.random.default_rng(0).integers(0, 3, 200)
    predictions = [noisy(truth, 0.4, 1), noisy(truth, 0.7, 2)]
    assert found.accuracy.first == pytest.approx(accuracy_score(truth, predictions[0]))
    assert found.macro_f1.second == pytest.approx(f1_score(truth, predictions[1], average="macro"))
    random = np.random.default_rng(1)
    drawn = []
    for _ in range(800):
        rows = random.integers(0, 200, 200)
        scores = [macro_f1(truth[rows], p[rows]) for p in predictions]
        drawn.append(scores[1] - scores[0])
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert (found.macro_f1.interval.low, found.macro_f1.interval.high) == pytest.approx((low, high), abs=0.02)


@pytest.mark.parametrize("right", [(0.5, 0.6), (0.7, 0.5)])
def test_p_is_twice_the_share_of_draws_on_the_far_side_of_zero(tmp_path: Path, right: tuple[float, float]) -> None:
    """Davison and Hinkley (1997), eq. 4.11, doubled: the draws are made into rows, and scored as rows."""
    first, second = make_runs(tmp_path, rows=60, right=right)
    found = compare_runs(first, second, resamples=199, seed=5)
    truth = np.random.default_rng(0).integers(0, 3, 60)
    predictions = [noisy(truth, right[0], 1), noisy(truth, right[1], 2)]
    kinds = np.ravel_multi_index((truth, *predictions), (3, 3, 3))
    drawn: dict[str, list[float]] = {"accuracy": [], "macro_f1": []}
    for counts in resample_counts(kinds, 27, None, 199, 5):
        labels, *both = np.unravel_index(np.repeat(np.arange(27), counts), (3, 3, 3))
        for name, metric in (("accuracy", accuracy_score), ("macro_f1", macro_f1)):
            one, other = (metric(labels, predicted) for predicted in both)
            drawn[name].append(other - one)
    for name, values in drawn.items():
        fewer = min(sum(value < 1e-9 for value in values), sum(value > -1e-9 for value in values))
        assert 0 < fewer < 80, "no case in which the share matters"
        difference = getattr(found, name)
        assert difference.p == pytest.approx(2 * (fewer + 1) / 200)
        assert difference.difference == difference.second - difference.first
        low, high = np.quantile(values, [0.025, 0.975])
        assert (difference.interval.low, difference.interval.high) == pytest.approx((low, high))


@pytest.mark.parametrize("resamples", [40, 99, 1999])
def test_p_is_never_zero(tmp_path: Path, resamples: int) -> None:
    """Phipson and Smyth (2010): of m draws none of which is as extreme, p is 1 / (m + 1); two-sided, twice that."""
    first, second = make_runs(tmp_path, right=(0.1, 1.0))
    for runs in ((first, second), (second, first)):
        found = compare_runs(*runs, resamples=resamples)
        assert found.macro_f1.p == found.accuracy.p == pytest.approx(2 / (resamples + 1))
        assert "is better in accuracy and macro F1" in found.verdict()[1]


@pytest.mark.parametrize("resamples", [39, 1, 0, -1, -5])
def test_draws_too_few_to_tell_anything_are_refused(tmp_path: Path, resamples: int) -> None:
    with pytest.raises(KoBERTEmotionError, match=f"`resamples` of at least 40, found {resamples}:") as caught:
        compare_runs(*make_runs(tmp_path, rows=30), resamples=resamples)
    assert "40 이상" in caught.value.korean


def test_ten_thousand_draws_unless_told_otherwise(tmp_path: Path) -> None:
    first, second = make_runs(tmp_path, rows=60)
    assert compare_runs(first, second) == compare_runs(first, second, resamples=10_000, seed=42)


def test_a_class_that_neither_occurs_nor_is_predicted(tmp_path: Path) -> None:
    truth = np.arange(40) % 2
    texts = [f"문장 {index}" for index in range(40)]
    runs = [
        write_finished_run(tmp_path / name, logits_of(predicted), truth, LABELS, texts)
        for name, predicted in (("a", 1 - truth), ("b", truth))
    ]
    found = compare_runs(*runs, resamples=100)
    assert [found.first, found.second] == runs
    assert (found.rows, found.macro_f1.first, found.macro_f1.second) == (40, 0, 1)


def verdict(accuracy: tuple[float, float], macro_f1: tuple[float, float]) -> tuple[str, str]:
    """What is said of differences (second less first) with their p-values."""
    of_accuracy, of_macro = (
        Difference(0.5, 0.5 + change, change, Interval(0, 0), p) for change, p in (accuracy, macro_f1)
    )
    # The test of accuracy is McNemar's mid-p, whatever the bootstrap or the exact test say.
    tested = McNemar(0, 0, exact_p=0.5, mid_p=accuracy[1])
    untested = Difference(of_accuracy.first, of_accuracy.second, of_accuracy.difference, Interval(0, 0), p=0.5)
    return Comparison(Path("가"), Path("나"), 9, True, False, untested, of_macro, tested).verdict()


@pytest.mark.parametrize(
    ("accuracy", "macro_f1", "korean", "english"),
    [
        (
            (0.1, 0.01),
            (0.1, 0.2),
            "나이(가) accuracy에서 더 낫습니다(p < 0.05). macro F1의 차이는 확실하지 않습니다.",
            "나 is better in accuracy (p < 0.05). The difference in macro F1 is not certain.",
        ),
        (
            (0.1, 0.05),
            (-0.1, 0.049),
            "가이(가) macro F1에서 더 낫습니다(p < 0.05). accuracy의 차이는 확실하지 않습니다.",
            "가 is better in macro F1 (p < 0.05). The difference in accuracy is not certain.",
        ),
        (
            (-0.1, 0.04),
            (-0.2, 0.01),
            "가이(가) accuracy · macro F1에서 더 낫습니다(p < 0.05).",
            "가 is better in accuracy and macro F1 (p < 0.05).",
        ),
        (
            (-0.1, 0.04),
            (0.2, 0.01),
            "지표마다 다릅니다: accuracy는 가, macro F1은 나이(가) 낫습니다.",
            "It depends: 가 has the better accuracy, 나 the better macro F1.",
        ),
        (
            (0.1, 0.05),
            (0.1, 0.05),
            "차이가 있다고 할 수 없습니다: 다른 행을 뽑았다면 뒤집힐 수 있는 차이입니다.",
            "No difference can be told: other rows of the same kind could turn it around.",
        ),
    ],
)
def test_the_verdict(accuracy: tuple[float, float], macro_f1: tuple[float, float], korean: str, english: str) -> None:
    assert verdict(accuracy, macro_f1) == (korean, english)


def test_a_clear_difference_is_named_and_chance_is_not(tmp_path: Path) -> None:
    better = compare_runs(*make_runs(tmp_path / "clear"))
    assert better.macro_f1.p < 0.001
    assert better.mcnemar.mid_p < 0.001
    korean, english = better.verdict()
    assert f"{tmp_path / 'clear' / 'b'} is better in accuracy and macro F1" in english
    assert "더 낫습니다" in korean
    same = compare_runs(*make_runs(tmp_path / "chance", right=(0.5, 0.5)))
    assert same.macro_f1.p > 0.05
    assert "No difference" in same.verdict()[1]


def test_a_run_and_itself_do_not_differ(tmp_path: Path) -> None:
    first, _ = make_runs(tmp_path)
    found = compare_runs(first, first)
    assert (found.macro_f1.difference, found.macro_f1.p, found.mcnemar.mid_p) == (0, 1, 1)


def test_p_values_are_uniform_where_nothing_differs(tmp_path: Path) -> None:
    """About one pair in twenty of equally good runs looks different at the level of 5%."""
    runs = make_runs(tmp_path, rows=120, right=(0.6, 0.6))
    truth = np.random.default_rng(0).integers(0, 3, 120)
    alarms = [0, 0]
    for seed in range(30):
        for path, draw in zip(runs, (2 * seed + 10, 2 * seed + 11), strict=True):
            _rewrite(path, logits_of(noisy(truth, 0.6, draw)), truth)
        found = compare_runs(*runs, resamples=400)
        alarms[0] += found.macro_f1.p < 0.05
        alarms[1] += found.mcnemar.mid_p < 0.05
    assert all(count <= 6 for count in alarms), alarms  # binomial(30, 0.05) exceeds 6 once in 1,000


def _rewrite(path: Path, logits: np.ndarray, truth: np.ndarray) -> None:
    for file in path.iterdir():
        file.unlink()
    path.rmdir()
    write_finished_run(path, logits, truth, LABELS, [f"문장 {index}" for index in range(len(truth))])


def test_copies_of_a_text_are_drawn_together(tmp_path: Path) -> None:
    truth = np.random.default_rng(0).integers(0, 3, 60)
    widths = []
    for name, texts in (("same", [f"문장 {i}" for i in range(60)] * 4), ("other", [f"문장 {i}" for i in range(240)])):
        runs = [
            write_finished_run(
                tmp_path / name / str(seed), logits_of(np.tile(noisy(truth, 0.5, seed), 4)), np.tile(truth, 4), LABELS,
                texts,
            )
            for seed in (1, 2)
        ]  # fmt: skip
        found = compare_runs(*runs)
        assert found.is_grouped == (name == "same")
        widths.append(found.macro_f1.interval.high - found.macro_f1.interval.low)
    assert widths[0] == pytest.approx(2 * widths[1], rel=0.15)


def test_many_labels_need_no_table_of_their_cube(tmp_path: Path) -> None:
    labels = [f"감정 {number}" for number in range(44)]
    random = np.random.default_rng(0)
    truth = random.integers(0, 44, 500)
    guesses = [np.where(random.random(500) < share, truth, random.integers(0, 44, 500)) for share in (0.3, 0.6)]
    runs = [
        write_finished_run(tmp_path / str(seed), np.eye(44)[guess], truth, labels, [f"글 {row}" for row in range(500)])
        for seed, guess in enumerate(guesses)
    ]
    tracemalloc.start()
    found = compare_runs(*runs, resamples=1000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 300e6  # the cube of 44 labels in 1,000 draws alone takes 680 MB
    for run, guess in zip((found.macro_f1.first, found.macro_f1.second), guesses, strict=True):
        assert run == pytest.approx(f1_score(truth, guess, average="macro"))
    assert found.accuracy.first == accuracy_score(truth, guesses[0])


def test_groups_of_either_run_are_drawn_together(tmp_path: Path) -> None:
    first, second = make_runs(tmp_path)
    alone = compare_runs(first, second)
    table = second / "oof_predictions.csv"
    rows = table.read_text(encoding="utf-8-sig").splitlines()
    grouped = [f"{line},{'speaker' if not number else number // 6}" for number, line in enumerate(rows)]
    table.write_text("\n".join(grouped) + "\n", encoding="utf-8-sig")
    record = json.loads((second / "run.json").read_text(encoding="utf-8"))
    (second / "run.json").write_text(json.dumps({**record, "group_by": "speaker"}), encoding="utf-8")
    found, turned = compare_runs(first, second), compare_runs(second, first)
    assert not alone.is_grouped
    assert found.is_grouped
    assert turned.is_grouped
    assert turned.macro_f1.interval.low == pytest.approx(-found.macro_f1.interval.high)


def several(folder: Path, truth: np.ndarray, logits: np.ndarray, names: list[str], texts: list[str]) -> Path:
    """A run whose rows have several labels, the thresholds other ones in each fold."""
    run = write_finished_run(folder, logits, truth, names, texts, task=MultiLabel())
    thresholds = {str(fold): [0.1 * fold + 0.1 * LABELS.index(name) + 0.15 for name in names] for fold in (1, 2, 3)}
    report = {"thresholds": {"folds": thresholds, "allow_empty": True}}
    (run / "report.json").write_text(json.dumps(report), encoding="utf-8")
    return run


@pytest.mark.parametrize("copies", [1, 2])
def test_runs_on_several_labels_are_compared_label_by_label(tmp_path: Path, copies: int) -> None:
    """Against scikit-learn's figures of the rows drawn; the second run numbers its labels in another order."""
    random = np.random.default_rng(6)
    truth = random.integers(0, 2, (24, 3))
    texts = [f"문장 {row // copies}" for row in range(24)]
    answers, runs = [], []
    for name, order in (("a", [0, 1, 2]), ("b", [2, 0, 1])):
        logits = random.normal(size=(24, 3)) + (2 * truth - 1) * ([0.3, 0.6, 1.0] if name == "a" else [1.5, 0.6, 1.5])
        fold = np.arange(24)[:, None] % 3 + 1
        answers.append((1 / (1 + np.exp(-logits)) >= 0.1 * fold + 0.1 * np.arange(3) + 0.15).astype(int))
        turned = [LABELS[label] for label in order]
        runs.append(several(tmp_path / name, truth[:, order], logits[:, order], turned, texts))
    found = compare_runs(*runs, resamples=60, seed=3)
    assert (found.first, found.second, found.rows) == (*runs, 24)
    assert (found.same_split, found.is_grouped) == (True, copies > 1)

    def figures(answer: np.ndarray, rows: np.ndarray) -> list[float]:
        by_label = f1_score(truth[rows], answer[rows], average=None, zero_division=0)
        return [accuracy_score(truth[rows], answer[rows]), by_label.mean(), *by_label]

    draws, differences = np.random.default_rng(3), []
    for _ in range(60):
        units = draws.integers(0, 24 // copies, 24 // copies)
        rows = np.concatenate([np.arange(copies) + unit * copies for unit in units])
        differences.append(np.subtract(*(figures(answer, rows) for answer in answers[::-1])))
    every = [figures(answer, np.arange(24)) for answer in answers]
    assert found.labels is not None
    assert list(found.labels) == LABELS
    for one, other, drawn, said in zip(
        *every, np.array(differences).T, (found.accuracy, found.macro_f1, *found.labels.values()), strict=True
    ):
        assert (said.first, said.second) == pytest.approx((one, other))
        assert (said.interval.low, said.interval.high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])))
        fewer = min((drawn < 1e-9).sum(), (drawn > -1e-9).sum())
        assert said.p == pytest.approx(min(1, 2 * (fewer + 1) / 61))
    right = [(answer == truth).all(axis=1) for answer in answers]
    assert found.mcnemar == mcnemar(*right)
    assert found.mcnemar.only_first != found.mcnemar.only_second
    (runs[1] / "run.json").write_text(
        json.dumps(json.loads((runs[1] / "run.json").read_text(encoding="utf-8")) | {"split_sha256": "1"}),
        encoding="utf-8",
    )
    assert not compare_runs(*runs, resamples=60).same_split
    assert compare_runs(*runs, resamples=60) == compare_runs(*runs, resamples=60, seed=42)


def test_runs_whose_sets_of_labels_differ_are_refused(tmp_path: Path) -> None:
    truth, texts = np.eye(3, dtype=np.int64)[np.arange(12) % 3], [f"문장 {row}" for row in range(12)]
    run = several(tmp_path / "run", truth, 4 * truth - 2.0, LABELS, texts)
    changed = truth.copy()
    changed[5, 0] = 1 - changed[5, 0]
    others = [
        several(tmp_path / "sets", changed, 4 * truth - 2.0, LABELS, texts),
        several(tmp_path / "fewer", truth[:11], 4 * truth[:11] - 2.0, LABELS, texts[:11]),
        several(tmp_path / "texts", truth, 4 * truth - 2.0, LABELS, [*texts[:11], "다른 문장"]),
        write_finished_run(tmp_path / "single", 4 * truth - 2.0, truth.argmax(axis=1), LABELS, texts),
    ]
    for other in others:
        for runs in ((run, other), (other, run)):
            with pytest.raises(RunError, match="different rows"):
                compare_runs(*runs, resamples=40)


def test_an_answer_that_is_any_of_the_labels_tied_is_right(tmp_path: Path) -> None:
    """Whichever of them it is: neither of two runs that answer otherwise is better."""
    shares = np.array([[0.5, 0.5, 0.0], [0.2, 0.4, 0.4], [1.0, 0.0, 0.0], [0.0, 0.5, 0.5]])
    texts = [f"문장 {row}" for row in range(4)]
    names = [LABELS[2], LABELS[0], LABELS[1]]
    numbers = np.array([names.index(label) for label in LABELS])
    first, second = np.array([0, 1, 0, 0]), np.array([1, 2, 1, 2])
    one = write_finished_run(tmp_path / "one", logits_of(first), shares, LABELS, texts, task=Soft())
    other = write_finished_run(
        tmp_path / "other", logits_of(numbers[second]), shares[:, [2, 0, 1]], names, texts, task=Soft()
    )
    found = compare_runs(one, other, resamples=40)
    assert (found.accuracy.first, found.accuracy.second) == (3 / 4, 3 / 4)
    assert found.macro_f1.first == pytest.approx(f1_score([0, 1, 0, 1], first, average="macro", zero_division=0))
    assert found.macro_f1.second == pytest.approx(f1_score([1, 2, 0, 2], second, average="macro", zero_division=0))
    assert (found.mcnemar.only_first, found.mcnemar.only_second) == (1, 1)


def test_runs_on_other_votes_are_refused(tmp_path: Path) -> None:
    shares, texts = np.array([[0.5, 0.3, 0.2], [0.0, 0.6, 0.4]]), ["문장 하나", "문장 둘"]
    others = {
        "one": shares,
        "other": np.array([[0.5, 0.2, 0.3], shares[1]]),
        "fewer": shares[:1],
        "rounded": shares + 1e-6,
    }
    runs = {
        name: write_finished_run(tmp_path / name, logits_of(np.arange(len(votes))), votes, LABELS, texts[: len(votes)],
            task=Soft())
        for name, votes in others.items()
    }  # fmt: skip
    assert compare_runs(runs["one"], runs["rounded"], resamples=40).rows == 2
    for name in ("other", "fewer"):
        with pytest.raises(RunError, match="different rows"):
            compare_runs(runs["one"], runs[name], resamples=40)
    majority = write_finished_run(tmp_path / "majority", logits_of(np.arange(2)), np.array([0, 1]), LABELS, texts)
    assert compare_runs(runs["one"], majority, resamples=40).rows == 2, "what most voted for may be all there is"


def test_groups_of_both_runs_are_joined(tmp_path: Path) -> None:
    """Pairs of rows in one run, and pairs one row further on in the other: all rows hang together."""
    truth, texts = np.arange(20) % 3, [f"문장 {row}" for row in range(20)]
    runs = [
        write_finished_run(
            tmp_path / name, logits_of(noisy(truth, 0.5, shift)), truth, LABELS, texts,
            {"row": range(1, 21), "speaker": [f"화자 {(row + shift) // 2}" for row in range(20)]}, group_by="speaker",
        )
        for shift, name in enumerate("ab")
    ]  # fmt: skip
    found = compare_runs(*runs, resamples=40)
    assert found.is_grouped
    for said in (found.accuracy, found.macro_f1):
        assert (said.interval.low, said.interval.high) == pytest.approx((said.difference, said.difference))


def test_other_rows_are_refused(tmp_path: Path) -> None:
    first, _ = make_runs(tmp_path / "one")
    _, other = make_runs(tmp_path / "two", rows=299)
    with pytest.raises(RunError, match=r"different rows: .* 300 .* 299") as caught:
        compare_runs(first, other)
    for run in (first, other):
        known = json.loads((run / "run.json").read_text(encoding="utf-8"))["data_sha256"]
        assert f"({known[:12]}…)" in caught.value.korean
        assert f"({known[:12]}…)" in caught.value.english


def test_runs_on_other_folds_are_told_apart(tmp_path: Path) -> None:
    first, second = make_runs(tmp_path)
    assert compare_runs(first, second, resamples=100).same_split
    record = json.loads((second / "run.json").read_text(encoding="utf-8"))
    (second / "run.json").write_text(json.dumps(record | {"split_sha256": "1" * 64}), encoding="utf-8")
    assert not compare_runs(first, second, resamples=100).same_split


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = map(str, make_runs(tmp_path))
    assert main(["compare", first, second]) == 0
    out = capsys.readouterr().out
    assert "McNemar" in out
    assert "같은 분할" in out
    assert f"{second} is better" in out
    assert main(["compare", first, second, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["macro_f1"]["difference"] > 0.1
    assert set(found["verdict"]) == {"ko", "en"}
    assert found["same_split"] is True


def test_what_is_no_finished_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = make_runs(tmp_path)
    (tmp_path / "c").mkdir()
    assert main(["compare", str(first), str(tmp_path / "c")]) == 2
    assert "run.json" in capsys.readouterr().err
    record = json.loads((second / "run.json").read_text(encoding="utf-8"))
    (second / "run.json").write_text(json.dumps(record | {"finished": False}), encoding="utf-8")
    assert main(["compare", str(first), str(second)]) == 2
    assert "not finished" in capsys.readouterr().err
    (second / "run.json").write_text(json.dumps(record | {"labels": ["다른", "라벨"]}), encoding="utf-8")
    assert main(["compare", str(first), str(second)]) == 2
    assert "damaged" in capsys.readouterr().err


def test_labels_numbered_in_another_order_are_the_same_labels(tmp_path: Path) -> None:
    first, second = make_runs(tmp_path)
    truth, texts = np.random.default_rng(0).integers(0, 3, 300), [f"문장 {index}" for index in range(300)]
    names = [LABELS[2], LABELS[0], LABELS[1]]
    numbers = np.array([names.index(label) for label in LABELS])
    turned = logits_of(numbers[noisy(truth, 0.7, 2)])
    write_finished_run(tmp_path / "turned", turned, numbers[truth], names, texts)
    expected, found = (
        compare_runs(first, second, resamples=200),
        compare_runs(first, tmp_path / "turned", resamples=200),
    )
    assert found.accuracy == expected.accuracy
    assert found.macro_f1 == expected.macro_f1
    assert found.mcnemar == expected.mcnemar
    other = write_finished_run(tmp_path / "other", turned, truth, names, texts)  # the numbers, with other names
    with pytest.raises(RunError, match="different rows"):
        compare_runs(first, other)


def test_a_run_that_knows_another_label_is_refused(tmp_path: Path) -> None:
    """Though no row has it: its predictions were among more classes."""
    truth, texts = np.arange(40) % 3, [f"문장 {index}" for index in range(40)]
    three = write_finished_run(tmp_path / "three", logits_of(truth), truth, LABELS, texts)
    four = write_finished_run(tmp_path / "four", np.eye(4)[truth], truth, [*LABELS, "중립"], texts)
    for runs in ((three, four), (four, three)):
        with pytest.raises(RunError, match="different rows"):
            compare_runs(*runs, resamples=40)


def test_a_run_on_pairs_is_refused_beside_one_on_single_texts(tmp_path: Path) -> None:
    truth, texts = np.arange(40) % 3, [f"문장 {index}" for index in range(40)]
    single = write_finished_run(tmp_path / "single", logits_of(truth), truth, LABELS, texts)
    pairs, others = (
        write_finished_run(tmp_path / name, logits_of(truth), truth, LABELS, texts, {"text_pair": second})
        for name, second in (("pairs", texts[::-1]), ("others", texts))
    )
    assert compare_runs(pairs, pairs, resamples=40).rows == 40
    for runs in ((single, pairs), (pairs, single), (pairs, others)):
        with pytest.raises(RunError, match="different rows"):
            compare_runs(*runs, resamples=40)


def test_runs_may_differ_in_the_turns_before_a_line(tmp_path: Path) -> None:
    truth, texts = np.arange(40) % 3, [f"문장 {index}" for index in range(40)]
    talks = [str(index // 8) for index in range(40)]
    runs = [
        write_finished_run(tmp_path / name, logits_of(truth), truth, LABELS, texts, {**turns, "conversation": talks})
        for name, turns in (("none", {}), ("one", {"text_pair": texts[::-1]}), ("two", {"text_pair": texts}))
    ]
    for first, second in ((0, 1), (1, 2), (2, 0)):
        assert compare_runs(runs[first], runs[second], resamples=40).rows == 40
