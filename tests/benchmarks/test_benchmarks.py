"""The benchmarks: the baselines compute what ours does, a disagreement stops a comparison, each command reports."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from paths import ROOT

from kobert_hf_emotion.modeling.classifier import EmotionClassifier
from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer


@pytest.fixture(autouse=True)
def repository_on_the_path(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """`benchmarks` and `training` are no part of the installed package."""
    monkeypatch.syspath_prepend(str(ROOT))
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "benchmarks"]:
        del sys.modules[name]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    from benchmarks.__main__ import main

    assert main([*arguments, "--texts", "generated", "--repeats", "1", "--model", "tiny", "--json"]) == 0
    reports: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return reports


def test_turns_are_taken_and_the_ratio_is_that_of_the_rounds() -> None:
    from benchmarks.timing import Timing, interleave, ratio

    turns: list[str] = []
    timings = interleave({"a": lambda: turns.append("a"), "b": lambda: turns.append("b")}, 3)
    assert turns == list("ababab")
    assert [len(timing.seconds) for timing in timings.values()] == [3, 3]
    slow, fast = Timing((4.0, 30.0, 8.0)), Timing((2.0, 10.0, 1.0))
    assert (slow.median, slow.spread) == (8.0, 26 / 8)
    assert ratio(slow, fast) == 3.0, "the median of 2, 3 and 8"


def test_generated_texts_are_as_long_as_the_notebooks(tokenizer: KoBERTTokenizer) -> None:
    from benchmarks.texts import load_texts

    texts = load_texts("generated", Path("/nowhere"), 2000)
    lengths = np.array([len(row) for row in tokenizer(texts.texts, truncation=True, max_length=64)["input_ids"]])
    assert 18 <= lengths.mean() <= 22
    assert lengths.max() == 64
    assert texts.texts == load_texts("generated", Path("/nowhere"), 2000).texts
    assert set(texts.labels) == {0, 1}


def test_the_notebooks_model_computes_what_ours_does(tmp_path: Path, tokenizer: KoBERTTokenizer) -> None:
    from benchmarks.baselines import NotebookLoop, Settings
    from benchmarks.models import save_model

    folder = save_model("tiny", ["a", "b", "c"], tokenizer, tmp_path)
    ours = EmotionClassifier.from_pretrained(folder).eval()
    loop = NotebookLoop(folder, tokenizer, 3, Settings(epochs=1))
    loop.model.classifier.load_state_dict(ours.classifier.state_dict())
    loop.model.eval()
    texts = ["비가 와서 우산을 샀다", "응"]
    padded = tokenizer(texts, padding="max_length", max_length=64, return_tensors="pt")
    with torch.no_grad():
        found = loop.model(padded["input_ids"], padded["attention_mask"].sum(1), padded["token_type_ids"])
        expected = ours(**tokenizer(texts, padding=True, return_tensors="pt")).logits
    assert torch.allclose(found, expected, atol=1e-6)


def test_tokenization(capsys: pytest.CaptureFixture[str]) -> None:
    [report] = run(capsys, "tokenization", "--count", "50")
    assert report["checks"]["texts whose ids differ one by one"] == 0
    assert report["items"] == 50
    assert len(report["timings"]) == 4


@pytest.mark.slow
def test_training(capsys: pytest.CaptureFixture[str]) -> None:
    [report] = run(capsys, "training", "--count", "24")
    assert list(report["timings"]) == ["kobert_hf_emotion", "notebook's loop", "HF Trainer"]
    for timing in report["timings"].values():
        assert timing["per_second"] == pytest.approx(24 / timing["median"])  # two folds, each trains half of the rows


@pytest.mark.slow
def test_training_steps(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks import training_steps

    trained: list[int] = []
    train_epoch = training_steps.NotebookLoop.train_epoch
    monkeypatch.setattr(
        training_steps.NotebookLoop,
        "train_epoch",
        lambda loop, shard: (trained.append(len(shard.texts)), train_epoch(loop, shard))[1],
    )
    [report] = run(capsys, "training", "--steps", "2")
    assert report["title"].startswith("2 training steps of 64 texts")
    assert trained == [4, 128], "a short warm-up, then two batches of 64"
    assert report["items"] == 128
    assert report["checks"]["largest relative difference of gradients"] < 1e-5
    assert list(report["timings"]) == ["kobert_hf_emotion", "notebook's loop", "HF Trainer"]


def test_gradients_of_texts_that_are_cut(tmp_path: Path) -> None:
    from benchmarks.baselines import Settings
    from benchmarks.texts import Texts
    from benchmarks.training_steps import StepJobs

    texts = Texts("long", ["정말 " * 100, "응"], [0, 1], ["a", "b"])
    assert StepJobs(texts, "tiny", Settings(epochs=1), tmp_path).compare_gradients() < 1e-5


def test_gradients_that_differ_are_no_speed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from benchmarks import training_steps
    from benchmarks.__main__ import main

    arguments = ["training", "--texts", "generated", "--model", "tiny", "--steps", "1"]
    narrow = training_steps.EmotionClassifier.forward

    def shifted(model: Any, *inputs: Any, **options: Any) -> Any:
        outputs = narrow(model, *inputs, **options)
        outputs.logits = outputs.logits * 1.001
        return outputs

    monkeypatch.setattr(training_steps.EmotionClassifier, "forward", shifted)
    assert main(arguments) == 1
    assert "gradients of 8 texts differ" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*arguments, "--count", "5"])


def test_loss_curves_that_differ() -> None:
    from benchmarks.report import OURS, Disagreement
    from benchmarks.training import _compare

    # Three rounds of one fold of two epochs each; the last epochs count.
    alike = [[(9.0, 9.0), (1.0 + seed / 10, 2.0 - seed / 10)] for seed in range(3)]
    assert _compare({OURS: alike, "notebook's loop": alike[::-1]}, epochs=2)["p of equal training loss"] == "1.00"
    worse = [[(9.0, 9.0), (3.0 + seed / 10, 2.0)] for seed in range(3)]
    with pytest.raises(Disagreement, match="training loss of the last epoch differs"):
        _compare({OURS: alike, "notebook's loop": worse}, epochs=2)


def test_inference(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks import inference
    from benchmarks.report import OURS, Report
    from benchmarks.timing import Timing

    monkeypatch.setattr(
        inference, "measure_start", lambda repeats: Report("cold", {}, {OURS: Timing((1.0,) * repeats)})
    )
    many, single, cold = run(capsys, "inference", "--count", "40")
    assert many["checks"]["largest difference of logits"] < 1e-4
    assert len(single["timings"]["pipeline"]["seconds"]) == 40
    assert cold["timings"][OURS]["median"] == 1.0


def test_a_disagreement_is_no_speed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks import tokenization
    from benchmarks.__main__ import main

    monkeypatch.setattr(tokenization, "MIN_SHARED_WITH_FAST", 1.1)
    assert main(["tokenization", "--texts", "generated", "--count", "5"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "the results differ" in printed.err


def test_missing_data(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    from benchmarks.__main__ import main

    assert main(["tokenization", "--texts", "nsmc", "--data", str(tmp_path)]) == 2
    assert "ratings_train.tsv.xz" in capsys.readouterr().err


def test_a_baseline_with_another_tokenizer_is_refused(tmp_path: Path) -> None:
    # Nothing beside the weights says which tokenizer they need: the pipeline then reads something else in the texts,
    # and would look faster or slower than it is.
    from benchmarks.baselines import fast_tokenizer, text_pipeline
    from benchmarks.inference import compare_logits
    from benchmarks.models import save_trained
    from benchmarks.report import Disagreement

    texts = ["비가 와서 우산을 샀다", "응", "정말 무서웠어요 ㅠㅠ"]
    model = EmotionClassifier.from_pretrained("default")
    saved = save_trained("default", tmp_path)
    pipe, fast = text_pipeline(saved, "cpu", bf16=False), fast_tokenizer(saved)
    assert compare_logits(model, pipe, texts, fast)["of texts"] == "3 of 3"

    def other(texts: list[str], **options: object) -> dict[str, list[list[int]]]:
        return {"input_ids": [[*row, 3] for row in fast(texts)["input_ids"]]}

    with pytest.raises(Disagreement, match="tokenised alike"):
        compare_logits(model, pipe, texts, other)


def test_the_estimate_is_set_beside_the_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the two of them made up: what is measured elsewhere is whether they agree."""
    from transformers import AutoConfig

    from benchmarks import estimate
    from kobert_hf_emotion.tokenization.loading import load_tokenizer

    seen = []
    monkeypatch.setattr(estimate, "_estimate", lambda source, texts, job: 2.0)
    tokens = []
    monkeypatch.setattr(
        estimate, "_train",
        lambda source, texts, job, run: (
            seen.append(AutoConfig.from_pretrained(source)),
            tokens.append(load_tokenizer(source)(texts.texts[:1])["input_ids"]),
        ),
    )  # fmt: skip
    [report] = run(capsys, "estimate", "--job", "electra-small", "--count", "40")
    [(name, row)] = report["facts"].items()
    assert name == "electra-small (1)"
    assert (row["estimate before (s)"], row["estimate after (s)"]) == (2.0, 2.0)
    assert row["mean estimate over truth"] == pytest.approx(2.0 / row["the run (s)"])
    assert (seen[0].model_type, seen[0].num_hidden_layers, seen[0].vocab_size > 50) == ("electra", 12, True)
    assert tokens[0][0][0] == 2


def test_what_processes_took_is_compared_round_by_round() -> None:
    from benchmarks.start_up import LIGHT, TORCH, Taken, commands, median, ratios, take

    ours = [Taken(1.0, 1.0, 100.0), Taken(2.0, 1.0, 100.0), Taken(9.0, 2.0, 130.0)]
    theirs = [Taken(4.0, 5.0, 300.0), Taken(6.0, 6.0, 400.0), Taken(18.0, 8.0, 390.0)]
    assert median(ours) == Taken(2.0, 1.0, 100.0)
    assert ratios(ours, theirs) == Taken(3.0, 5.0, 3.0), "the medians of 4, 3, 2; of 5, 6, 4; and of 3, 4, 3"
    taken = take([sys.executable, "-c", "data = bytes(60_000_000)"])
    assert taken.megabytes > 60
    assert taken.cpu > 0
    assert taken.wall > 0
    assert commands("글")[LIGHT][-1] == commands("글")[TORCH][-1] == "글"
