"""The training of the default model: masks, schedule, targets, and a run that was cut off, on data made here."""

from __future__ import annotations

import dataclasses
import json
import lzma
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import torch
from paths import ROOT
from safetensors.torch import load_file

from kobert_hf_emotion import EmotionClassifier
from kobert_hf_emotion.labels import EMOTION_LABELS, GOEMOTIONS_TO_EMOTION, KOTE_TO_EMOTION
from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer

WORDS = (
    "오늘",
    "정말",
    "좋은",
    "영화",
    "슬픈",
    "하루",
    "ㅋㅋㅋ",
    "무서워",
    "배우",
    "최고",
    "별로",
    "화나",
    "놀랐다",
    "ㅠㅠ",
)


@pytest.fixture(autouse=True)
def repository_on_the_path(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """`training` is no part of the installed package."""
    monkeypatch.syspath_prepend(str(ROOT))
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    for name in [name for name in sys.modules if name.partition(".")[0] == "training"]:
        del sys.modules[name]


def sentences(count: int, seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    return [" ".join([*rng.choice(WORDS, size=rng.integers(2, 9)), f"{seed}번{index}"]) for index in range(count)]


def write(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    opener = lzma.open if path.suffix == ".xz" else open
    with opener(path, "wt", encoding="utf-8", newline="\n") as stream:
        stream.writelines(line + "\n" for line in lines)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The layout of the public data sets, with a test text that also stands among the reviews and in NSMC's train."""
    folder = tmp_path_factory.mktemp("data")
    reviews, kept_back = sentences(200, seed=1), "시험에만 나오는 문장"
    train = [*reviews[:40], kept_back]
    rated = [f"{i}\t{1 + i % 10}\t{text}" for i, text in enumerate([*reviews, kept_back])]
    write(folder / "nsmc/reviews_rest.tsv.xz", ["id\trating\tdocument", *rated])
    for part, texts in (("train", train), ("test", [kept_back, *sentences(5, seed=2)])):
        rows = [f"{i}\t{text}\t{i % 2}" for i, text in enumerate(texts)]
        write(folder / f"nsmc/ratings_{part}.tsv.xz", ["id\tdocument\tlabel", *rows])
    for part, count, seed in (("val", 440, 3), ("test", 20, 4)):
        rows = [f"{i}\t{text}\t{i % 44},{(i * 7 + 3) % 44}" for i, text in enumerate(sentences(count, seed))]
        write(folder / f"kote/{part}.tsv", rows)
    for part, count, seed in (("train", 280, 5), ("dev", 30, 6), ("test", 20, 7)):
        rows = [f"{text}\t{i % 28}" for i, text in enumerate(sentences(count, seed))]
        write(folder / f"goemotions_ko/{part}.tsv.xz", rows)
    write(folder / "goemotions_ko/labels.txt", list(GOEMOTIONS_TO_EMOTION))
    return folder


def train(monkeypatch: pytest.MonkeyPatch, data: Path, vocab_file: Path, work: Path, output: Path, *more: str) -> None:
    from default_model import emotions, stage, train_default

    monkeypatch.setattr(emotions, "HELD_OUT_KOTE", 10)
    monkeypatch.setattr(stage, "CHECKPOINT_SECONDS", 0.0)
    arguments = [f"--data={data}", f"--spiece={vocab_file}", f"--work={work}", f"--output={output}", "--threads=1"]
    sizes = ["--layers=2", "--hidden-size=64", "--teacher-layers=1", "--teacher-hidden-size=64", "--kote-repeats=2"]
    batches = [f"--{stage}-sequences=16" for stage in ("teacher", "fold", "review")]
    steps = ["--teacher-steps=3", "--folds=2", "--fold-steps=4", "--review-steps=6", "--emotion-steps=5"]
    monkeypatch.setattr(sys, "argv", ["train_default", *arguments, *sizes, *batches, *steps, *more])
    train_default.main()


@pytest.mark.slow
def test_a_run_cut_off_in_any_stage_gives_the_model_of_one_that_was_not(
    data: Path, vocab_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from default_model.stage import Stage

    train(monkeypatch, data, vocab_file, tmp_path / "whole", tmp_path / "a", "--emotion-runs=1")
    update, after = Stage._update, {"teacher": 1, "teacher_1": 2, "reviews": 4, "emotions_0": 3}

    def cut_off(self: Any, *arguments: Any) -> Any:
        if self.step == after.get(self.name):
            del after[self.name]
            raise KeyboardInterrupt
        return update(self, *arguments)

    monkeypatch.setattr(Stage, "_update", cut_off)
    # The linear models ran in processes of their own above. Here they are threads: each cut would start new processes,
    # which load torch for longer than all of this computes.
    with joblib.parallel_config("threading"):
        for _ in range(4):
            with pytest.raises(KeyboardInterrupt):
                train(monkeypatch, data, vocab_file, tmp_path / "cut", tmp_path / "b", "--emotion-runs=1")
            assert not (tmp_path / "b").exists()
        train(monkeypatch, data, vocab_file, tmp_path / "cut", tmp_path / "b", "--emotion-runs=1")
    assert not after
    weights = [load_file(tmp_path / name / "model.safetensors") for name in "ab"]
    assert weights[0].keys() == weights[1].keys()
    assert all(torch.equal(value, weights[1][name]) for name, value in weights[0].items())

    shutil.copy(vocab_file, tmp_path / "a" / "spiece.model")
    model = EmotionClassifier.from_pretrained(tmp_path / "a")
    assert model.config._attn_implementation == "sdpa", "what the training computed attention with is not shipped"
    assert len(model.predict(["오늘 정말 좋은 영화"])[0]["probabilities"]) == 7
    record = json.loads((tmp_path / "a" / "training_record.json").read_text(encoding="utf-8"))
    assert list(record["stages"]) == ["teacher", "folds", "linear", "mixed", "reviews", "emotions"]
    assert [len(record["stages"]["folds"]["runs"]), record["stages"]["reviews"]["steps"]] == [2, 6]

    # One more run of the last stage, in a process of its own: the model is the average of both and of their start.
    train(monkeypatch, data, vocab_file, tmp_path / "whole", tmp_path / "c", "--emotion-runs=2")
    words = "bert.embeddings.word_embeddings.weight"
    files = [tmp_path / "whole" / f"emotions_{run}.pt" for run in range(2)]
    runs = [torch.load(file, weights_only=True)["network"][f"classifier.{words}"] for file in files]
    assert not torch.equal(runs[0], runs[1])
    average = load_file(tmp_path / "c" / "model.safetensors")[words]
    start = torch.load(tmp_path / "whole" / "reviews.pt", weights_only=True)["network"][f"classifier.{words}"]
    expected = 0.8 * torch.stack(runs).mean(dim=0) + 0.2 * start
    torch.testing.assert_close(average.float(), expected, rtol=1e-3, atol=1e-6)


def pool_of(data: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    from default_model import corpora, emotions, pool, settings

    monkeypatch.setattr(emotions, "HELD_OUT_KOTE", 10)
    held_out = corpora.held_out_keys(data)
    parts = emotions.emotion_parts(data, held_out, settings.Settings())
    return pool.review_pool(pool.distinct_reviews(data, held_out), data, parts)


def test_texts_of_test_parts_are_not_in_the_pool(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = pool_of(data, monkeypatch)
    assert "시험에만 나오는 문장" not in pool.texts
    assert len(pool.texts) == len(pool.sources) == 200 + 430 + 280
    assert sum(pool.in_nsmc_train) == 40


def test_packed_texts_give_what_each_gives_alone(vocab_file: Path) -> None:
    from default_model.batches import MASK, Encoder
    from default_model.network import MultiTaskNetwork, default_config
    from default_model.packing import PackedTexts

    encoder = Encoder(vocab_file)
    rows = encoder(sentences(90, seed=8), 40)
    texts = PackedTexts(rows, 48, encoder.starts_word, torch.device("cpu"))
    torch.manual_seed(0)
    network = MultiTaskNetwork(default_config(64, 2)).eval()
    seen: list[int] = []
    for batch in texts.batches(np.arange(90), 8, mask_share=0.0, seed=1):
        assert batch.ids.shape == (8, 48)
        assert len(batch.hidden) == 0
        states, pooled = network.packed(batch)
        assert network.masked_token_loss(states, batch).item() == 0
        for index, row in enumerate(batch.rows.tolist()):
            alone = network.classifier.bert(torch.tensor([rows[row]]))
            torch.testing.assert_close(pooled[index], alone.pooler_output[0], rtol=1e-4, atol=1e-5)
            first = int(batch.first[index])
            own = states[first : first + len(rows[row])]
            torch.testing.assert_close(own, alone.last_hidden_state[0], rtol=1e-4, atol=1e-5)
        seen += batch.rows.tolist()
    assert sorted(seen) == list(range(90)) != seen

    shares = []
    for batch in texts.batches(np.arange(90).repeat(20), 8, mask_share=0.3, seed=2):
        flat = batch.ids.flatten()
        assert torch.equal(flat == MASK, torch.zeros_like(flat, dtype=torch.bool).index_fill_(0, batch.hidden, True))
        restored = flat.index_copy(0, batch.hidden, batch.wanted).tolist()
        hidden = set(batch.hidden.tolist())
        for first, row in zip(batch.first.tolist(), batch.rows.tolist(), strict=True):
            assert restored[first : first + len(rows[row])] == rows[row]
            words: list[list[bool]] = []
            for place, token in enumerate(rows[row][1:-1], start=first + 1):
                if encoder.processor.id_to_piece(token).startswith("▁"):
                    words.append([])
                words[-1].append(place in hidden)
            assert all(len(set(word)) == 1 for word in words)
            shares.extend(word[0] for word in words)
            assert not {first, first + len(rows[row]) - 1} & hidden
    assert 0.25 < np.mean(shares) < 0.35


def test_a_teacher_answers_without_having_seen_the_label(
    data: Path, vocab_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from default_model.batches import Encoder
    from default_model.network import MultiTaskNetwork, default_config
    from default_model.packing import PackedTexts
    from default_model.settings import Settings
    from default_model.teacher import answer_by_folds

    settings = Settings(folds=2, fold_steps=6, fold_sequences=8, teacher_sequences=16, kote_repeats=1)
    encoder, pool = Encoder(vocab_file), pool_of(data, monkeypatch)
    texts = PackedTexts(encoder(pool.texts, 128), 128, encoder.starts_word, torch.device("cpu"))

    def answers(work: Path, ratings: np.ndarray, labels: np.ndarray) -> dict[str, torch.Tensor]:
        kote = dataclasses.replace(pool.parts.kote, labels=labels)
        changed = dataclasses.replace(pool, ratings=ratings, parts=dataclasses.replace(pool.parts, kote=kote))
        torch.manual_seed(0)
        network = MultiTaskNetwork(default_config(64, 1))
        work.mkdir()
        return answer_by_folds(network, texts, changed, settings, work)[0]

    review = int(np.flatnonzero(pool.in_nsmc_train)[3])
    ratings, labels = pool.ratings.copy(), pool.parts.kote.labels.copy()
    ratings[review] = 11 - ratings[review]
    labels[5] = 1 - labels[5]
    kote_row = len(pool.reviews) + 5
    before = answers(tmp_path / "a", pool.ratings, pool.parts.kote.labels)
    after = answers(tmp_path / "b", ratings, labels)
    folds = np.random.default_rng(settings.seed).integers(2, size=len(pool.sources))
    other = [row for row in np.flatnonzero(folds == folds[review]) if row < len(pool.reviews)]
    assert folds[review] == folds[kote_row], "choose rows of one fold"
    assert torch.equal(before["rating"][other], after["rating"][other])
    assert torch.equal(before["kote"][kote_row], after["kote"][kote_row])
    assert not torch.equal(before["kote"][review], after["kote"][review])
    elsewhere = [row for row in np.flatnonzero(folds != folds[review]) if row < len(pool.reviews)]
    assert not torch.equal(before["rating"][elsewhere], after["rating"][elsewhere])


def test_linear_models_answer_without_having_seen_the_label() -> None:
    from default_model.linear_models import soft_labels, soft_ratings

    texts, others = sentences(80, seed=9), sentences(7, seed=10)
    labels = (np.arange(80)[:, None] // np.array([1, 2, 3]) % 2).astype(np.float32)
    flipped = labels.copy()
    flipped[4] = 1 - flipped[4]
    before, after = (soft_labels(texts, value, others, seed=0) for value in (labels, flipped))
    assert before.shape == (87, 3)
    np.testing.assert_array_equal(before[7 + 4], after[7 + 4])
    assert (before[:7] != after[:7]).any()
    ratings = np.arange(80) % 10 + 1
    swapped = ratings.copy()
    swapped[4] = 9
    before, after = (soft_ratings(texts, value, others, seed=0) for value in (ratings, swapped))
    np.testing.assert_array_equal(before[4], after[4])
    assert (before[80:] != after[80:]).any()
    np.testing.assert_allclose(before.sum(axis=1), 1, atol=1e-4)


def test_own_ratings_of_nsmcs_train_part_are_not_learned(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from default_model.targets import taught_targets

    pool = pool_of(data, monkeypatch)
    torch.manual_seed(0)
    answers = {name: torch.rand(len(pool.sources), 10).softmax(dim=-1).half() for name in ("rating", "emotion")}
    targets = taught_targets(pool, answers).shares["rating"]
    rated = len(pool.reviews)
    train = np.flatnonzero(pool.in_nsmc_train)
    assert torch.equal(targets[train], answers["rating"][train])
    assert torch.equal(targets[rated:], answers["rating"][rated:])
    for row in np.flatnonzero(~pool.in_nsmc_train)[:20]:
        distances = np.arange(1, 11) - pool.ratings[row]
        own = np.exp(-0.5 * (distances / 0.8) ** 2)
        expected = (answers["rating"][row].float().numpy() + own / own.sum()) / 2
        np.testing.assert_allclose(targets[row].float().numpy(), expected, atol=1e-3)


def test_emoji_go_with_the_emotion_of_a_text(tokenizer: KoBERTTokenizer) -> None:
    from default_model.emoji import EMOJI, with_emoji

    texts, emotions = ["글"] * 800, np.arange(800) % 8 - 1
    changed = with_emoji(texts, emotions, share=1.0, seed=3)
    for text, emotion in zip(changed, emotions, strict=True):
        label = EMOTION_LABELS[emotion] if emotion >= 0 else "none"
        if label in ("none", "neutral"):
            assert text == "글"
        else:
            space, end = text[1], text[2:]
            assert space == " "
            assert len(end) in (1, 2, 3)
            assert set(end) <= set(EMOJI[label])
            assert len(set(end)) == 1
    assert {text[2] for text in changed if len(text) > 1} == set("".join(EMOJI.values()))
    assert changed == with_emoji(texts, emotions, share=1.0, seed=3) != with_emoji(texts, emotions, share=1.0, seed=4)
    assert with_emoji(texts, emotions, share=0.0, seed=3) == texts
    some = sum(len(text) > 1 for text in with_emoji(texts, np.full(800, 5), share=0.25, seed=3))
    assert 150 < some < 250
    assert tokenizer.unk_token_id not in tokenizer("".join(EMOJI.values()))["input_ids"]


def test_the_rate_warms_up_stays_and_falls(tmp_path: Path) -> None:
    from default_model.network import MultiTaskNetwork, default_config
    from default_model.settings import Settings
    from default_model.stage import Stage

    network = MultiTaskNetwork(default_config(64, 1))
    options: dict[str, Any] = {"steps": 100, "learning_rate": 1.0}
    settings = Settings(warmup_share=0.1)
    flat = Stage("flat", network, settings, tmp_path, **options, constant_share=0.5)
    rates = [flat._rate(step) for step in range(101)]
    np.testing.assert_allclose(rates[:10], np.arange(1, 11) / 10)
    np.testing.assert_allclose(rates[9:51], 1)
    np.testing.assert_allclose([rates[75], rates[100]], [0.5, 0], atol=1e-12)
    assert Stage("cosine", network, settings, tmp_path, **options)._rate(55) == pytest.approx(0.5)


def test_the_loss_balances_emotions_and_adds_own_labels(vocab_file: Path) -> None:
    from default_model.batches import Encoder
    from default_model.corpora import EmotionData
    from default_model.emotions import EmotionParts, EmotionTask
    from default_model.network import MultiTaskNetwork, default_config
    from default_model.settings import Settings

    rng = np.random.default_rng(0)

    def rows(count: int, labels: int) -> EmotionData:
        hot = (rng.random((count, labels)) < 0.2).astype(np.float32)
        return EmotionData(sentences(count, count), rng.dirichlet(np.ones(7), count), hot)

    kote, goemotions = rows(6, len(KOTE_TO_EMOTION)), rows(5, len(GOEMOTIONS_TO_EMOTION))
    parts = EmotionParts(kote, goemotions, kote, goemotions)
    sizes = {"emotion": 7, "kote": len(KOTE_TO_EMOTION), "goemotions": len(GOEMOTIONS_TO_EMOTION)}
    taught = {name: torch.from_numpy(rng.random((11, size))) for name, size in sizes.items()}
    task = EmotionTask(parts, taught, Encoder(vocab_file), Settings(kote_repeats=2, emotion_teacher_share=0.25))
    hard = np.concatenate([kote.targets, kote.targets, goemotions.targets])
    balanced = (hard * np.sqrt(hard.mean() / hard.mean(axis=0)))[[1, 1, 13]]
    targets = 0.75 * balanced + 0.25 * taught["emotion"][[1, 1, 7]].numpy()
    numbers = np.array([1, 7, 13])  # a row of KOTE twice, and one of GoEmotions
    torch.manual_seed(0)
    network = MultiTaskNetwork(default_config(64, 1)).eval()
    ids = torch.tensor([[2, 100, 3], [2, 200, 3], [2, 300, 3]])
    pooled = network(ids)
    scores = network.classifier.classifier(pooled).log_softmax(dim=-1).detach().numpy()

    def own(name: str, chosen: list[int], labels: np.ndarray, scale: int) -> float:
        shares = torch.sigmoid(network.heads[name](pooled[chosen])).detach().numpy()
        return float(-(labels * np.log(shares) + (1 - labels) * np.log(1 - shares)).sum()) / scale / 3

    def mixed(name: str, labels: np.ndarray, rows: list[int]) -> np.ndarray:
        return 0.75 * labels + 0.25 * taught[name][rows].numpy()

    expected = -(targets * scores).sum(axis=1).mean()
    expected += own("kote", [0, 1], mixed("kote", kote.labels[[1, 1]], [1, 1]), 8)
    expected += own("goemotions", [2], mixed("goemotions", goemotions.labels[[1]], [7]), 3)
    assert task.loss(network, ids, numbers).item() == pytest.approx(expected, rel=1e-5)
