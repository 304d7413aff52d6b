"""The commands as a user types them: help, the way through, and each way it can go wrong."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hub_server import client_environment, running_hub
from sentences import sentences, write_seed_csv

from kobert_hf_emotion.cli import main
from kobert_hf_emotion.modeling.classifier import EmotionClassifier


def run(capsys: pytest.CaptureFixture[str], *argv: object) -> tuple[int, str, str]:
    code = main([str(argument) for argument in argv])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_seed_csv(folder / "train.csv", sentences(8), encoding="cp949")
    write_seed_csv(folder / "test.csv", sentences(4, seed=1), encoding="utf-8-sig")
    return folder


@pytest.fixture(scope="module")
def trained(files: Path, tiny_model_folder: Path) -> Path:
    folder = files / "run"
    options = ["--epochs", "1", "--folds", "2", "--learning-rate", "1e-3", "--legacy-export", "--json"]
    assert (
        main(["train", str(files / "train.csv"), "--model", str(tiny_model_folder), "--output", str(folder), *options])
        == 0
    )
    return folder


@pytest.mark.parametrize("command", ["train", "test", "predict", "convert"])
def test_help_opens_with_an_example(capsys: pytest.CaptureFixture[str], command: str) -> None:
    code, out, _ = run(capsys, command, "--help")
    assert code == 0
    assert f"예시: kobert-emotion {command} " in out.split("Options")[0]


def test_every_command_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "--help")
    assert all(command in out for command in ("train", "test", "predict", "convert"))


@pytest.mark.slow
def test_train_prints_one_json_object(
    capsys: pytest.CaptureFixture[str], files: Path, tiny_model_folder: Path, tmp_path: Path
) -> None:
    code, out, err = run(
        capsys, "train", files / "train.csv", "--model", tiny_model_folder, "--output", tmp_path / "run",
        "--folds", 2, "--epochs", 1, "--gamma", 1.5, "--alpha", '{"fear": 2}', "--seed", 7, "--json",
    )  # fmt: skip
    assert code == 0, err
    found = json.loads(out)
    assert set(found["folds"]) == {"fold_1", "fold_2"}
    assert found["data"]["encodings"] == ["cp949"]
    record = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    arguments = record["training_arguments"]
    assert (arguments["focal_gamma"], arguments["seed"], arguments["num_train_epochs"]) == (1.5, 7, 1)
    config = EmotionClassifier.from_pretrained(tmp_path / "run" / "best").config
    assert config.focal_alpha == [2, 1, 1, 1, 1, 1, 1]


def test_test_lists_every_fold_and_says_how_it_chose(
    capsys: pytest.CaptureFixture[str], files: Path, trained: Path
) -> None:
    code, out, err = run(capsys, "test", trained, files / "test.csv")
    assert code == 0, err
    assert str(trained / "fold_1") in out
    assert str(trained / "fold_2") in out
    assert "validation" in out
    code, out, err = run(capsys, "test", trained, files / "test.csv", "--select-on-test", "--json")
    assert code == 0, err
    found = json.loads(out)
    assert "optimistic" in found["chosen"]
    best = max(found["checkpoints"], key=lambda entry: entry["accuracy"])
    assert found["best"] == best["path"]


def test_test_takes_the_default_model(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    data = write_seed_csv(tmp_path / "test.csv", sentences(2), encoding="utf-8")
    code, out, err = run(capsys, "test", "default", data, "--json")
    assert code == 0, err
    found = json.loads(out)
    assert found["best"] == "default"
    assert found["checkpoints"][0]["rows"] == 14


@pytest.mark.slow
def test_test_takes_a_model_of_the_hub(
    capsys: pytest.CaptureFixture[str], tiny_model_folder: Path, tmp_path: Path
) -> None:
    data = write_seed_csv(tmp_path / "test.csv", sentences(2), encoding="utf-8")
    with running_hub() as hub:
        hub.publish("tester/tiny", tiny_model_folder)
        done = subprocess.run(
            [sys.executable, "-m", "kobert_hf_emotion", "test", "tester/tiny", str(data)],
            check=False, capture_output=True, text=True, timeout=600, cwd=tmp_path,
            env=client_environment(hub, tmp_path),
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    code, out, err = run(capsys, "test", tiny_model_folder, data)
    assert code == 0, err
    there, here = (text.splitlines()[1].split()[1:] for text in (done.stdout, out))
    assert there == here


def test_test_reads_the_notebook_files(
    capsys: pytest.CaptureFixture[str], files: Path, trained: Path, vocab_file: Path
) -> None:
    file = trained / "fold_1" / "Focal_KoBERT_e1_b64_fold_1_state_dict.pt"
    code, out, err = run(
        capsys, "test", file, files / "test.csv", "--tokenizer", vocab_file, "--num-attention-heads", 2
    )
    assert code == 0, err
    assert file.name in out


def test_predict_a_file_writes_predictions_and_a_report(
    capsys: pytest.CaptureFixture[str], files: Path, trained: Path, tmp_path: Path
) -> None:
    code, out, err = run(capsys, "predict", trained / "best", files / "test.csv", "--output", tmp_path / "p.csv")
    assert code == 0, err
    assert "weighted avg" in out
    with (tmp_path / "p.csv").open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [row["text"] for row in rows] == [text for text, _ in sentences(4, seed=1)]
    assert [row["label"] for row in rows] == [label for _, label in sentences(4, seed=1)]
    expected = EmotionClassifier.from_pretrained(trained / "best").predict([row["text"] for row in rows])
    assert [row["prediction"] for row in rows] == [prediction["label"] for prediction in expected]


def test_predict_texts(capsys: pytest.CaptureFixture[str], tiny_model_folder: Path) -> None:
    code, out, err = run(capsys, "predict", tiny_model_folder, "오늘 정말 행복했어", "ㅠㅠ", "--json")
    assert code == 0, err
    found = json.loads(out)
    predictions = found["predictions"]
    assert [entry["text"] for entry in predictions] == ["오늘 정말 행복했어", "ㅠㅠ"]
    assert sum(predictions[0]["probabilities"].values()) == pytest.approx(100, abs=0.1)
    assert 100 * predictions[0]["score"] == pytest.approx(max(predictions[0]["probabilities"].values()), abs=0.01)
    assert found["units"] == {"score": "0 to 1", "probabilities": "percent, 0 to 100"}


def test_predict_without_labels_counts_predictions(
    capsys: pytest.CaptureFixture[str], tiny_model_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "plain.csv").write_text("문장\n좋아요\n싫어요\n", encoding="utf-8")
    code, out, err = run(capsys, "predict", tiny_model_folder, tmp_path / "plain.csv", "--json")
    assert code == 0, err
    assert sum(json.loads(out)["predicted"].values()) == 2


def test_convert_and_predict(
    capsys: pytest.CaptureFixture[str], trained: Path, vocab_file: Path, tmp_path: Path
) -> None:
    file = trained / "fold_2" / "Focal_KoBERT_e1_b64_fold_2.pt"
    code, out, err = run(capsys, "convert", file, "--tokenizer", vocab_file, "--output", tmp_path / "new", "--json")
    assert code == 0, err
    assert json.loads(out)["missing"] == []
    code, out, err = run(capsys, "predict", tmp_path / "new", "오늘 정말 행복했어")
    assert code == 0, err


def test_nsmc_rows_go_through_the_same_commands(
    capsys: pytest.CaptureFixture[str], shared: Path, tiny_model_folder: Path, tmp_path: Path
) -> None:
    import lzma

    with lzma.open(shared / "data" / "nsmc" / "ratings_train.tsv.xz", "rt", encoding="utf-8") as source:
        reviews = [line.rstrip("\n").split("\t") for _, line in zip(range(301), source, strict=False)][1:]
    with (tmp_path / "nsmc.csv").open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["ID", "Emotion", "Label", "WavPath", "Text"])
        for identifier, text, label in reviews:
            writer.writerow([identifier, "긍정" if label == "1" else "부정", label, "", text])
    code, _, err = run(
        capsys, "train", tmp_path / "nsmc.csv", "--model", tiny_model_folder, "--labels", "부정,긍정", "--folds", 2,
        "--epochs", 1, "--output", tmp_path / "run",
    )  # fmt: skip
    assert code == 0, err
    code, out, err = run(capsys, "test", tmp_path / "run", tmp_path / "nsmc.csv")
    assert code == 0, err
    code, out, err = run(capsys, "predict", tmp_path / "run" / "best", tmp_path / "nsmc.csv")
    assert code == 0, err
    assert "긍정" in out


def bad_label(folder: Path) -> list[str]:
    (folder / "bad.csv").write_text("Text,Label\n좋아,5\n싫어,9\n", encoding="utf-8")
    return ["train", str(folder / "bad.csv"), "--output", str(folder / "run")]


def small_class(folder: Path) -> list[str]:
    write_seed_csv(folder / "small.csv", [*sentences(6), ("하나뿐", "fear")][1:])
    pairs = [pair for pair in sentences(6) if pair[1] != "disgust"] + [("역겨워", "disgust")]
    write_seed_csv(folder / "small.csv", pairs)
    return ["train", str(folder / "small.csv"), "--output", str(folder / "run")]


def missing_column(folder: Path) -> list[str]:
    (folder / "columns.csv").write_text("a,b\n좋아,5\n", encoding="utf-8")
    return ["train", str(folder / "columns.csv"), "--text-column", "Txt", "--output", str(folder / "run")]


def empty_file(folder: Path) -> list[str]:
    (folder / "empty.csv").write_bytes(b"")
    return ["train", str(folder / "empty.csv"), "--output", str(folder / "run")]


def wrong_encoding(folder: Path) -> list[str]:
    (folder / "bytes.csv").write_bytes("Text,Label\n좋아,5\n".encode("cp949"))
    return ["train", str(folder / "bytes.csv"), "--encoding", "utf-8", "--output", str(folder / "run")]


def used_folder(folder: Path) -> list[str]:
    (folder / "run" / "fold_1").mkdir(parents=True)
    write_seed_csv(folder / "fine.csv", sentences(6))
    return ["train", str(folder / "fine.csv"), "--output", str(folder / "run")]


def no_checkpoint(folder: Path) -> list[str]:
    (folder / "fake.pt").write_bytes(b"not a checkpoint")
    write_seed_csv(folder / "fine.csv", sentences(6))
    return ["test", str(folder / "fake.pt"), str(folder / "fine.csv")]


def bad_alpha(folder: Path) -> list[str]:
    write_seed_csv(folder / "fine.csv", sentences(6))
    return ["train", str(folder / "fine.csv"), "--alpha", '{"joy": 2}', "--output", str(folder / "run")]


def no_model(folder: Path) -> list[str]:
    return ["predict", str(folder / "nowhere"), "좋아"]


@pytest.mark.parametrize(
    ("prepare", "parts"),
    [
        (bad_label, ["9", "row 3", "Label", "0", "fear"]),
        (small_class, ["disgust", "1"]),
        (missing_column, ["Txt", "a, b", "--text-column a --label-column b"]),
        (empty_file, ["empty.csv"]),
        (wrong_encoding, ["utf-8", "bytes.csv"]),
        (used_folder, ["run", "nothing in it was touched"]),
        (no_checkpoint, ["fake.pt"]),
        (bad_alpha, ["joy", "fear"]),
        (no_model, ["nowhere"]),
    ],
)
def test_bad_input_is_one_message_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, prepare: Callable[[Path], list[str]], parts: list[str]
) -> None:
    argv = prepare(tmp_path)
    before = sorted(path for path in tmp_path.rglob("*"))
    code, out, err = run(capsys, *argv)
    assert code == 2
    assert out == ""
    assert "Traceback" not in err
    assert err.count("오류 (error)") == 1
    assert [part for part in parts if part not in err] == [], err
    assert sorted(path for path in tmp_path.rglob("*")) == before, "something was written"


def test_bad_usage_is_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    for argv in (["train"], ["predict", "default"], ["fly"], ["train", "a.csv", "--folds", "1", "--output", "x"]):
        code, _, err = run(capsys, *argv)
        assert code == 2
        assert err


def test_a_split_brings_its_own_number_of_folds(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "train.csv"
    file.write_text("Text,Label\n좋다,5\n", encoding="utf-8")
    code, _, err = run(
        capsys, "train", file, "--split", tmp_path / "split.csv", "--folds", 3, "--output", tmp_path / "r"
    )
    assert code == 2
    assert "--folds" in err
    assert not (tmp_path / "r").exists()


def test_the_package_imports_in_a_moment_and_without_torch() -> None:
    program = (
        "import sys; before = set(sys.modules); import kobert_hf_emotion; "
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before} - sys.stdlib_module_names)"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["kobert_hf_emotion"], "of other packages nothing, heavy or not"


def test_every_public_name_resolves() -> None:
    import kobert_hf_emotion

    for name in kobert_hf_emotion.__all__:
        assert getattr(kobert_hf_emotion, name) is not None
    with pytest.raises(AttributeError, match="nothing"):
        _ = kobert_hf_emotion.nothing
