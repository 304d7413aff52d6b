"""The page that predicts in the browser: Python's ids and answers, and no request to anywhere else."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from golden_tokens import GLUON_LENGTH, TRICKY, read_golden
from npm import node_modules, run_module
from sentences import sentences
from small_encoders import word_piece
from tiny import TINY
from transformers import ElectraConfig, ElectraForSequenceClassification

pytest.importorskip("onnxruntime")
pytest.importorskip("playwright")

from browser import chromium, folder_served
from playwright.sync_api import Browser, Page

from kobert_hf_emotion import EmotionClassifier, KoBERTTokenizer, OnnxClassifier, export_onnx
from kobert_hf_emotion.cli import main
from kobert_hf_emotion.errors import CheckpointError, RunError
from kobert_hf_emotion.export import export_web, exporter, web_runtime
from kobert_hf_emotion.export.parity import Parity
from kobert_hf_emotion.export.web import _settings
from kobert_hf_emotion.inference.classifier import Classifier, load_classifier
from kobert_hf_emotion.tasks.single_label import to_predictions

TRANSFORMERS_JS = "@huggingface/transformers@4.3.2"
HAPPY, AFRAID = "오늘 정말 행복했어", "밤길에 누가 자꾸 따라와서 무서웠어"
HARD = [*"가힣각ㄱㄶᄒ\u1161\u11ab a1é½①㎏～ﾊ漢豈…‼", *"\t\x0b\x1c\x85\xa0\u200b\u200d\u2028\u3000\ufeff\ufffd▁"]
HARD += [
    *"\x00\x01\x7f\u0301\ufe0f\u20e3😀👍❤",
    "10,",
    "1,000",
    "...",
    "``",
    "''",
    "[SEP]",
    "[MASK]",
    "마ㄶ이",
    "그래서 ",
]
KINDS = {"int8": ("sentencepiece", True), "float32": ("gluonnlp", False)}
COUNT = 1000


def texts() -> list[str]:
    """Sentences, texts of characters that tokenizers stumble over, and none at all."""
    draw = random.Random(0)
    hard = ["".join(draw.choices(HARD, k=draw.randint(1, 12))) for _ in range(COUNT // 2)]
    plain = [text for text, _ in sentences(80)]
    return [*TRICKY[:16], *hard, "", "가" * 300, *plain][:COUNT]


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = node_modules(f"{web_runtime.PACKAGE}@{web_runtime.VERSION}")
    found = web_runtime.find_runtime(folder)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def models(tiny_model_folder: Path) -> dict[str, EmotionClassifier]:
    """The tiny model with labels that are no ties and a temperature, in both word splits."""
    found = {}
    for name, (word_split, _) in KINDS.items():
        model = EmotionClassifier.from_pretrained(tiny_model_folder)
        model.tokenizer = KoBERTTokenizer(tiny_model_folder / "spiece.model", word_split, model_max_length=64)
        with torch.no_grad():
            model.classifier.weight *= 50
        model.config.softmax_temperature = 1.7
        found[name] = model
    return found


@pytest.fixture(scope="module")
def sites(
    models: dict[str, EmotionClassifier], runtime: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("sites")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exporter, "sample_texts", lambda: [text for text, _ in sentences(8)])
        for name, (_, int8) in KINDS.items():
            export_web(models[name], folder / name, int8, runtime)
    return {name: folder / name for name in KINDS}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@contextmanager
def opened(browser: Browser, folder: Path) -> Iterator[Page]:
    """A page of a folder behind a plain file server; fails where it asks anything of another."""
    complaints: list[str] = []
    with folder_served(folder) as url:
        page = browser.new_page()
        page.set_default_timeout(120_000)
        page.on("request", lambda asked: None if asked.url.startswith((url, "blob:")) else complaints.append(asked.url))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("response", lambda answer: None if answer.ok else complaints.append(f"{answer.status} {answer.url}"))
        page.goto(url)
        try:
            yield page
        finally:
            page.close()
    assert not complaints


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_answers_are_pythons(kind: str, sites: dict[str, Path], browser: Browser) -> None:
    given = texts()
    with opened(browser, sites[kind]) as page:
        ids, predictions = page.evaluate(
            """async (texts) => {
                const engine = await import("/engine.js");
                const { tokenizer } = await engine.load();
                return [texts.map((text) => tokenizer.encode(text)), await engine.predict(texts)];
            }""",
            given,
        )
    model = OnnxClassifier.from_pretrained(sites[kind] / "model", threads=1)
    assert len(given) == COUNT
    expected_ids = model.tokenizer(given, truncation=True, max_length=64)["input_ids"]
    assert [text for text, a, b in zip(given, ids, expected_ids, strict=True) if a != b] == []
    logits = np.concatenate([model.predict_logits([text]) for text in given])
    expected = to_predictions(logits, model.labels)
    same = [ours["label"] == theirs["label"] for ours, theirs in zip(predictions, expected, strict=True)]
    assert np.mean(same) >= (0.99 if kind == "int8" else 1)
    scores = [np.array([row["score"] for row in rows]) for rows in (predictions, expected)]
    assert np.abs(scores[0] - scores[1])[same].max() < (0.05 if kind == "int8" else 1e-4)
    assert all(list(prediction["probabilities"]) == model.labels for prediction in predictions)
    unread = dict(zip(given, (prediction["unreadable"] for prediction in predictions), strict=True))
    assert unread[""]
    assert not unread[given[-1]]


@pytest.mark.slow
def test_the_page_shows_them(sites: dict[str, Path], browser: Browser) -> None:
    with opened(browser, sites["int8"]) as page:
        page.locator("#text").fill(HAPPY)
        verdict = page.locator(".verdict").inner_text()
    [expected] = OnnxClassifier.from_pretrained(sites["int8"] / "model").predict([HAPPY])
    assert verdict.endswith(f"{100 * expected['score']:.1f}%")


def test_golden_ids(shared: Path, sites: dict[str, Path], browser: Browser, tmp_path: Path) -> None:
    rows = [
        row for name in ("kote", "nsmc") for row in read_golden(shared / "golden" / f"tokenization_{name}.jsonl.gz")
    ]
    rows = rows[::4]
    for word_split, key, length in (("sentencepiece", "hf", 10**6), ("gluonnlp", "gluon", GLUON_LENGTH)):
        tokenizer = KoBERTTokenizer(shared / "kobert" / "spiece.model", word_split=word_split)
        tokenizer.save_pretrained(tmp_path / word_split)
        file = json.loads((tmp_path / word_split / "tokenizer.json").read_text("utf-8"))
        settings = _settings(sites["int8"] / "model", tokenizer) | {"maxLength": length}
        with opened(browser, sites["int8"]) as page:
            script = """async ([file, settings, texts]) => {
                const { Tokenizer } = await import("/tokenizer.js");
                const tokenizer = new Tokenizer(file, settings);
                return texts.map((text) => tokenizer.encode(text));
            }"""
            found = page.evaluate(script, [file, settings, [row["text"] for row in rows]])
        assert sum(ids != row[key] for ids, row in zip(found, rows, strict=True)) == 0


@pytest.mark.slow
def test_transformers_js_opens_an_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packages = node_modules(TRANSFORMERS_JS)
    monkeypatch.setattr(exporter, "sample_texts", lambda: [text for text, _ in sentences(4)])
    model = load_classifier("default")
    model.tokenizer.model_max_length = 64
    export_onnx(model, tmp_path / "default")
    script = """
        import { AutoTokenizer, env, pipeline } from "@huggingface/transformers";
        const [folder, texts] = [process.argv[2], JSON.parse(process.argv[3])];
        env.allowRemoteModels = false;
        env.localModelPath = folder;
        const classify = await pipeline("text-classification", "default", { dtype: "fp32" });
        const tokenizer = await AutoTokenizer.from_pretrained("default");
        const ids = texts.map((text) => tokenizer(text, { return_tensor: false }).input_ids);
        console.log(JSON.stringify([await classify(texts, { top_k: null }), ids]));
    """
    given = [HAPPY, AFRAID, *(text for text, _ in sentences(4)), "오늘 ❤️ 10,000원 ㅠㅠ", "가\u200b나\u3000다"]
    answers, ids = json.loads(run_module(packages, script, str(tmp_path), json.dumps(given)))
    assert ids == [list(row) for row in model.tokenizer(given)["input_ids"]]
    expected = EmotionClassifier.from_pretrained("default").predict(given)
    for found, prediction in zip(answers, expected, strict=True):
        assert found[0]["label"] == prediction["label"]
        assert found[0]["score"] == pytest.approx(prediction["score"], abs=1e-4)
    assert answers[0][0]["score"] == pytest.approx(0.95621, abs=1e-4)
    assert answers[1][0]["score"] == pytest.approx(0.90444, abs=1e-4)


class TestWhatIsWritten:
    def test_everything_is_there(self, sites: dict[str, Path]) -> None:
        for folder in sites.values():
            files = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
            assert {"index.html", "page.js", "engine.js", "tokenizer.js", "site.json"} <= files
            assert {f"runtime/{name}" for name in (*web_runtime.FILES, "LICENSE.txt")} <= files
            assert {"model/tokenizer.json", "model/config.json", "model/export.json"} <= files
            assert "/predict" not in (folder / "engine.js").read_text("utf-8")
        assert (sites["int8"] / "model/onnx/model_quantized.onnx").is_file()
        assert (sites["float32"] / "model/onnx/model.onnx").is_file()

    def test_the_command(
        self, tiny_model_folder: Path, runtime: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
    ) -> None:
        monkeypatch.setattr(exporter, "sample_texts", lambda: [text for text, _ in sentences(2)])
        site = tmp_path / "site"
        command = ["export", str(tiny_model_folder), "--format", "web", "--float32", "--output", str(site)]
        assert main([*command, "--runtime", str(runtime)]) == 0
        assert "python -m http.server" in capsys.readouterr().out
        assert (site / "model/onnx/model.onnx").is_file()


class TestWhatCannotBe:
    def test_without_npm(
        self, models: dict[str, EmotionClassifier], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(shutil, "which", lambda _: None)
        with pytest.raises(CheckpointError, match=r"npm: command not found.*Nothing was written") as refused:
            export_web(models["int8"], tmp_path / "site")
        assert "npm install --prefix runtime onnxruntime-web@" in str(refused.value)
        assert list(tmp_path.iterdir()) == []

    def test_npm_that_fails(
        self, models: dict[str, EmotionClassifier], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        npm = tmp_path / "npm"
        npm.write_text("#!/bin/sh\necho no network here >&2\nexit 1\n")
        npm.chmod(0o755)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(shutil, "which", lambda _: str(npm))
        with pytest.raises(CheckpointError, match="no network here"):
            export_web(models["int8"], tmp_path / "site")
        assert list(tmp_path.iterdir()) == [npm]

    def test_a_folder_without_the_runtime(self, models: dict[str, EmotionClassifier], tmp_path: Path) -> None:
        with pytest.raises(CheckpointError, match="has no files of onnxruntime-web"):
            export_web(models["int8"], tmp_path / "site", runtime=tmp_path)

    def test_a_folder_in_use(self, models: dict[str, EmotionClassifier], runtime: Path, tmp_path: Path) -> None:
        (tmp_path / "mine.txt").write_text("mine")
        with pytest.raises(RunError):
            export_web(models["int8"], tmp_path, runtime=runtime)

    def test_another_encoders_tokenizer(self, tmp_path: Path) -> None:
        tokenizer = word_piece()
        model = ElectraForSequenceClassification(ElectraConfig(vocab_size=len(tokenizer), num_labels=7, **TINY))
        with pytest.raises(CheckpointError, match=r"KoBERT's tokenizer alone.*transformers\.js"):
            export_web(Classifier(model, tokenizer), tmp_path / "site")

    def test_an_int8_graph_that_loses_labels(
        self,
        tiny_model_folder: Path,
        runtime: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setattr(exporter, "sample_texts", lambda: [text for text, _ in sentences(1)])
        monkeypatch.setattr(exporter.Reference, "compare", lambda *_: Parity(1000, 0.1, 0.9))
        site = tmp_path / "site"
        command = ["export", str(tiny_model_folder), "--format", "web", "--output", str(site)]
        assert main([*command, "--runtime", str(runtime)]) == 2
        last = capsys.readouterr().err.splitlines()[-1]
        assert "--format web" in last
        assert "--float32" in last
        assert list(tmp_path.iterdir()) == []

    def test_a_runtime_for_a_graph(self, tiny_model_folder: Path, tmp_path: Path, capsys: Any) -> None:
        command = ["export", str(tiny_model_folder), "--output", str(tmp_path / "a"), "--runtime", str(tmp_path)]
        assert main(command) == 2
        assert "--format web" in capsys.readouterr().err
