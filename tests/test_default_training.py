"""The training of the default model: masks, schedule, targets, and a run that was cut off, on data made here."""

from __future__ import annotations

import hashlib
import json
import lzma
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from kobert_hf_emotion import EmotionClassifier
from kobert_hf_emotion.labels import EMOTION_LABELS, GOEMOTIONS_TO_EMOTION, KOTE_TO_EMOTION
from kobert_hf_emotion.tokenization import KoBERTTokenizer

ROOT = Path(__file__).resolve().parents[1]
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
    from training import emotions, stage, train_default

    monkeypatch.setattr(emotions, "HELD_OUT_KOTE", 10)
    monkeypatch.setattr(stage, "CHECKPOINT_SECONDS", 0.0)
    arguments = [f"--data={data}", f"--spiece={vocab_file}", f"--work={work}", f"--output={output}", "--threads=1"]
    sizes = ["--layers=2", "--hidden-size=64", "--kote-repeats=2"]
    steps = ["--bag-steps=3", "--review-steps=6", "--emotion-steps=5"]
    monkeypatch.setattr(sys, "argv", ["train_default", *arguments, *sizes, *steps, *more])
    train_default.main()


def test_a_run_cut_off_in_any_stage_gives_the_model_of_one_that_was_not(
    data: Path, vocab_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training import corpora
    from training.pool import balanced, distinct_reviews
    from training.stage import Stage

    train(monkeypatch, data, vocab_file, tmp_path / "whole", tmp_path / "a")
    update, after = Stage._update, {"bag": 1, "reviews": 4, "emotions_1": 3}

    def cut_off(self: Any, *arguments: Any) -> float:
        if self.step == after.get(self.name):
            del after[self.name]
            raise KeyboardInterrupt
        return update(self, *arguments)

    monkeypatch.setattr(Stage, "_update", cut_off)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            train(monkeypatch, data, vocab_file, tmp_path / "cut", tmp_path / "b")
        assert not (tmp_path / "b").exists()
    train(monkeypatch, data, vocab_file, tmp_path / "cut", tmp_path / "b")
    assert not after
    weights = [load_file(tmp_path / name / "model.safetensors") for name in "ab"]
    assert weights[0].keys() == weights[1].keys()
    assert all(torch.equal(value, weights[1][name]) for name, value in weights[0].items())
    words = "bert.embeddings.word_embeddings.weight"
    files = [tmp_path / "whole" / f"emotions_{run}.pt" for run in range(3)]
    runs = [torch.load(file, weights_only=True)["network"][f"classifier.{words}"] for file in files]
    assert not torch.equal(runs[0], runs[1])
    torch.testing.assert_close(weights[0][words].float(), torch.stack(runs).mean(dim=0), rtol=1e-3, atol=1e-6)

    shutil.copy(vocab_file, tmp_path / "a" / "spiece.model")
    model = EmotionClassifier.from_pretrained(tmp_path / "a")
    assert model.config._attn_implementation == "sdpa", "what the training computed attention with is not shipped"
    assert len(model.predict(["오늘 정말 좋은 영화"])[0]["probabilities"]) == 7

    left = balanced(distinct_reviews(data, corpora.held_out_keys(data), seed=0), limit=12)
    assert "시험에만 나오는 문장" not in [row.text for row in left]
    assert max(np.bincount([row.rating for row in left])) == 12


def test_a_run_can_start_from_an_earlier_one(
    data: Path, vocab_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(monkeypatch, data, vocab_file, tmp_path / "work_a", tmp_path / "a")
    still = ["--review-learning-rate=0", "--emotion-learning-rate=0"]
    train(monkeypatch, data, vocab_file, tmp_path / "work_b", tmp_path / "b", f"--start={tmp_path / 'a'}", *still)
    old, new = (load_file(tmp_path / name / "model.safetensors") for name in "ab")
    encoder = [name for name in old if name.startswith("bert.")]
    assert encoder
    assert all(torch.equal(old[name], new[name]) for name in encoder)
    records = [json.loads((tmp_path / name / "training_record.json").read_text(encoding="utf-8")) for name in "ab"]
    weights = (tmp_path / "a" / "model.safetensors").read_bytes()
    assert records[1]["start"] == {"weights_sha256": hashlib.sha256(weights).hexdigest(), "record": records[0]}
    assert list(records[1]["stages"]) == ["teacher", "reviews", "emotions"]
    assert "start" not in records[0]

    train(monkeypatch, data, vocab_file, tmp_path / "work_c", tmp_path / "c", f"--start={tmp_path / 'a'}")
    mixed = ["--start-share=0.25", f"--start={tmp_path / 'a'}"]
    train(monkeypatch, data, vocab_file, tmp_path / "work_c", tmp_path / "d", *mixed)
    end, mix = (load_file(tmp_path / name / "model.safetensors") for name in "cd")
    for name in encoder:
        wanted = 0.25 * old[name].float() + 0.75 * end[name].float()
        torch.testing.assert_close(mix[name].float(), wanted, rtol=2e-3, atol=1e-6)
    assert any(not torch.equal(mix[name], end[name]) for name in encoder)

    with pytest.raises(SystemExit):
        train(monkeypatch, data, vocab_file, tmp_path / "work_e", tmp_path / "e", "--start-share=0.25")
    assert not (tmp_path / "work_e").exists()


def test_emoji_go_with_the_emotion_of_a_text(tokenizer: KoBERTTokenizer) -> None:
    from training.emoji import EMOJI, with_emoji

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


def test_own_ratings_of_nsmcs_train_part_are_not_learned(
    data: Path, vocab_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training import corpora, emotions, pool, settings

    monkeypatch.setattr(emotions, "HELD_OUT_KOTE", 10)
    held_out = corpora.held_out_keys(data)
    parts = emotions.emotion_parts(data, held_out, settings.Settings())
    reviews = pool.distinct_reviews(data, held_out, seed=0)
    texts = pool.review_pool(reviews, data, parts)
    assert sum(texts.in_nsmc_train) == 40
    targets = pool.teach(texts, settings.Settings(), tmp_path)["rating"][: len(reviews)].float().numpy()
    np.testing.assert_allclose(targets.sum(axis=1), 1, atol=5e-3)
    own = targets[np.arange(len(reviews)), [row.rating - 1 for row in reviews]]
    # Half of a rating's own smoothed distribution has its peak, 0.25, at the rating; the other half adds to it.
    assert (own[~texts.in_nsmc_train] >= 0.2).all()
    assert np.median(own[texts.in_nsmc_train]) < 0.2


def test_words_are_masked_whole(vocab_file: Path) -> None:
    from training.batches import MASK, Encoder, mask_words, pad

    encoder = Encoder(vocab_file)
    ids = pad(encoder(["무서웠어요 정말 재미있었습니다", "ㅋㅋㅋㅋ 헐", "한국어모델을공유합니다"] * 200, 32))
    masked, hidden = mask_words(ids, encoder.starts_word, 0.3, torch.Generator().manual_seed(0))
    assert torch.equal(masked == MASK, hidden)
    assert torch.equal(masked[~hidden], ids[~hidden])
    assert not hidden[ids < 5].any()
    shares = []
    for row, gone in zip(ids.tolist(), hidden.tolist(), strict=True):
        words: list[list[bool]] = []
        for index, is_gone in zip(row, gone, strict=True):
            if index >= 5 and encoder.processor.id_to_piece(index).startswith("▁"):
                words.append([])
            if index >= 5:
                words[-1].append(is_gone)
        assert all(len(set(word)) == 1 for word in words)
        shares.extend(word[0] for word in words)
    assert 0.25 < np.mean(shares) < 0.35


def test_the_rate_warms_up_stays_and_falls(tmp_path: Path) -> None:
    from training.network import MultiTaskNetwork, default_config
    from training.settings import Settings
    from training.stage import Stage

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
    from training.batches import Encoder
    from training.corpora import EmotionData
    from training.emotions import EmotionParts, EmotionTask
    from training.network import MultiTaskNetwork, default_config
    from training.settings import Settings

    rng = np.random.default_rng(0)

    def rows(count: int, labels: int) -> EmotionData:
        hot = (rng.random((count, labels)) < 0.2).astype(np.float32)
        return EmotionData(sentences(count, count), rng.dirichlet(np.ones(7), count), hot)

    kote, goemotions = rows(6, len(KOTE_TO_EMOTION)), rows(5, len(GOEMOTIONS_TO_EMOTION))
    parts = EmotionParts(kote, goemotions, kote, goemotions)
    task = EmotionTask(parts, Encoder(vocab_file), Settings(kote_repeats=2))
    hard = np.concatenate([kote.targets, kote.targets, goemotions.targets])
    targets = (hard * np.sqrt(hard.mean() / hard.mean(axis=0)))[[1, 1, 13]]
    numbers = np.array([1, 7, 13])  # a row of KOTE twice, and one of GoEmotions
    torch.manual_seed(0)
    network = MultiTaskNetwork(default_config(64, 1)).eval()
    ids = torch.tensor([[2, 100, 3], [2, 200, 3], [2, 300, 3]])
    pooled = network(ids)
    scores = network.emotion_logits(pooled).log_softmax(dim=-1).detach().numpy()

    def own(name: str, chosen: list[int], labels: np.ndarray, scale: int) -> float:
        shares = torch.sigmoid(network.heads[name](pooled[chosen])).detach().numpy()
        return float(-np.where(labels == 1, np.log(shares), np.log(1 - shares)).sum()) / scale / 3

    expected = -(targets * scores).sum(axis=1).mean()
    expected += own("kote", [0, 1], kote.labels[[1, 1]], 8) + own("goemotions", [2], goemotions.labels[[1]], 3)
    assert task.loss(network, ids, numbers).item() == pytest.approx(expected, rel=1e-5)
