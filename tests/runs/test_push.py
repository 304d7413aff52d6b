"""Pushing to and pulling from a Hub on loopback: complete, byte-equal, and clear about what goes wrong."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from code_process import CodeError
from hub_server import OTHER_TOKEN, READ_TOKEN, WRITE_TOKEN, Hub, HubClient, running_hub
from sentences import sentences, write_seed_csv

from kobert_hf_emotion.cli import main

pytestmark = pytest.mark.slow


MODEL_FILES = {"README.md", "config.json", "model.safetensors", "spiece.model", "tokenizer.json"}
MODEL_FILES |= {"tokenizer_config.json"}
RUN_FILES = {
    "run.json",
    "report.json",
    "report.txt",
    "curves.png",
    "confusion_matrix.png",
    "calibration.png",
    "history.csv",
}
PUSH = """
from kobert_hf_emotion import push_run
commit = push_run(path, repo, **settings)
result = commit.oid
"""
LOGITS = """
from kobert_hf_emotion import EmotionClassifier
model = EmotionClassifier.from_pretrained(source, **settings)
result = [model.predict(["오늘 정말 행복했어", "ㅠㅠ"]), model.tokenizer("안녕하세요")["input_ids"]]
"""
BUMP = """
import torch
from kobert_hf_emotion import EmotionClassifier
model = EmotionClassifier.from_pretrained(source)
with torch.no_grad():
    model.classifier.bias += 1 + torch.arange(7)
"""


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def hashes(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): sha256(p.read_bytes()) for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    with running_hub() as hub:
        yield hub


@pytest.fixture(scope="module")
def client(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubClient]:
    """Somebody with the right to write, who is `tester` on the Hub."""
    client = HubClient(hub, tmp_path_factory.mktemp("home"), WRITE_TOKEN)
    yield client
    client.close()


@pytest.fixture(scope="module")
def run_folder(tiny_model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    write_seed_csv(folder / "train.csv", sentences(6))
    options = ["--epochs", "1", "--folds", "2", "--learning-rate", "1e-2", "--batch-size", "8", "--legacy-export"]
    run = folder / "a"
    arguments = ["train", str(folder / "train.csv"), "--model", str(tiny_model_folder), "--output", str(run)]
    assert main([*arguments, *options]) == 0
    weights = [sha256((fold / "model.safetensors").read_bytes()) for fold in run.glob("fold_*")]
    assert len(set(weights)) == 2, "folds that cannot be told apart would hide a mix-up"
    return run


def pull(client: HubClient, repo: str, folder: Path, **settings: object) -> dict[str, str]:
    """Downloads a repository and returns the hashes of its files."""
    code = "import huggingface_hub; huggingface_hub.snapshot_download(repo, local_dir=folder, **settings)"
    client.run(code, repo=repo, folder=folder, settings=settings)
    return {name: value for name, value in hashes(folder).items() if not name.startswith((".cache", ".gitattributes"))}


def test_run_is_pulled_as_it_was_pushed(hub: Hub, client: HubClient, run_folder: Path, tmp_path: Path) -> None:
    client.run(PUSH, path=run_folder, repo="tester/run", settings={})
    assert len(hub.commits("tester/run")) == 1
    pulled = pull(client, "tester/run", tmp_path / "pulled")
    assert set(pulled) == MODEL_FILES | RUN_FILES, "no predictions with training texts, no pickled files, no folds"
    best, run = hashes((run_folder / "best").resolve()), hashes(run_folder)
    for name in set(pulled) - {"README.md"}:
        assert pulled[name] == (best[name] if name in best else run[name]), name
    card = (tmp_path / "pulled" / "README.md").read_text(encoding="utf-8")
    assert card == (run_folder / "README.md").read_text(encoding="utf-8").replace("사용자/이름", "tester/run")
    here = client.run(LOGITS, source=run_folder / "best", settings={})
    assert client.run(LOGITS, source="tester/run", settings={}) == here


def test_all_folds_are_subfolders_and_one_commit(hub: Hub, client: HubClient, run_folder: Path, tmp_path: Path) -> None:
    client.run(PUSH, path=run_folder, repo="tester/folds", settings={"all_folds": True})
    assert len(hub.commits("tester/folds")) == 1
    pulled = pull(client, "tester/folds", tmp_path / "pulled")
    inside = {f"{fold}/{name}" for fold in ("fold_1", "fold_2") for name in MODEL_FILES | {"history.csv"}}
    assert set(pulled) == MODEL_FILES | RUN_FILES | inside
    run = hashes(run_folder)
    assert [name for name in inside if not name.endswith("README.md") and pulled[name] != run[name]] == []
    here = client.run(LOGITS, source=run_folder / "fold_2", settings={})
    assert client.run(LOGITS, source="tester/folds", settings={"subfolder": "fold_2"}) == here


def test_fold_folder_and_model_folder(
    hub: Hub, client: HubClient, run_folder: Path, tiny_model_folder: Path, tmp_path: Path
) -> None:
    for source, repo in [(run_folder / "fold_1", "tester/fold"), (tiny_model_folder, "tester/model")]:
        client.run(PUSH, path=source, repo=repo, settings={"commit_message": "처음 올림"})
        assert [commit.title for commit in hub.commits(repo)] == ["처음 올림"]
        pulled = pull(client, repo, tmp_path / repo)
        kept_back = (".pt", ".tar", "fold.json", "validation_logits.npy")
        here = {name: value for name, value in hashes(source).items() if not name.endswith(kept_back)}
        pulled.pop("README.md", None), here.pop("README.md", None)
        assert pulled == here


def test_pushing_again_makes_no_commit_where_nothing_changed(
    hub: Hub, client: HubClient, tiny_model_folder: Path
) -> None:
    first = client.run(PUSH, path=tiny_model_folder, repo="tester/again", settings={})
    assert client.run(PUSH, path=tiny_model_folder, repo="tester/again", settings={}) == first
    assert len(hub.commits("tester/again")) == 1


def test_model_and_tokenizer_push_themselves(
    hub: Hub, client: HubClient, tiny_model_folder: Path, tmp_path: Path
) -> None:
    code = "from kobert_hf_emotion import *; model = EmotionClassifier.from_pretrained(source); "
    client.run(f"{code}model.push_to_hub('tester/own', private=True)", source=tiny_model_folder)
    client.run(
        f"{code}model.tokenizer; model.save_pretrained(folder, push_to_hub=True, repo_id='tester/saved')",
        source=tiny_model_folder, folder=tmp_path / "saved",
    )  # fmt: skip
    client.run(
        "from kobert_hf_emotion import *; KoBERTTokenizer.from_pretrained(source).push_to_hub('tester/tokenizer')",
        source=tiny_model_folder,
    )
    here = hashes(tiny_model_folder)
    for repo in ("tester/own", "tester/saved"):
        there = hub.files(repo)
        assert {name: sha256(content) for name, content in there.items() if name != "README.md"} == here
        assert json.loads(there["config.json"])["architectures"] == ["BertForSequenceClassification"]
        assert len(hub.commits(repo)) == 1
    assert hub.repos["tester/own"].private
    assert set(hub.files("tester/tokenizer")) >= {"spiece.model", "tokenizer.json", "tokenizer_config.json"}
    ids = client.run(
        "from kobert_hf_emotion import *; t = KoBERTTokenizer.from_pretrained('tester/tokenizer')\n"
        "result = t('안녕하세요')['input_ids']"
    )
    assert ids == client.run(LOGITS, source=tiny_model_folder, settings={})[1]


def test_trainer_pushes_during_training(hub: Hub, client: HubClient, tiny_model_folder: Path, tmp_path: Path) -> None:
    client.run(
        """
from kobert_hf_emotion import *
dataset = load_emotion_dataset(data)
model = EmotionClassifier.from_pretrained(source)
model.tokenizer
args = EmotionTrainingArguments(output_dir=folder, num_train_epochs=1, push_to_hub=True, hub_model_id="tester/trained",
                                save_strategy="epoch", hub_strategy="every_save", disable_tqdm=True, report_to=[])
trainer = EmotionTrainer(model, args, dataset, dataset)
open(folder + "/predictions.csv", "w").write("not for others")
trainer.train()
trainer.push_to_hub()
model.save_pretrained(folder + "/after")
""",
        source=tiny_model_folder, folder=tmp_path / "trained",
        data=write_seed_csv(tmp_path / "train.csv", sentences(3)),
    )  # fmt: skip
    there = hub.files("tester/trained")
    assert set(there) >= MODEL_FILES
    assert set(there) <= MODEL_FILES | {".gitattributes"}, "no checkpoints, no pickled arguments, no stray tables"
    assert sha256(there["model.safetensors"]) == hashes(tmp_path / "trained" / "after")["model.safetensors"]
    assert json.loads(there["config.json"])["architectures"] == ["BertForSequenceClassification"]
    assert len(hub.commits("tester/trained")) >= 2, "one during training, one at its end"


def test_revision_pin_gives_the_old_weights_and_their_tokenizer(
    hub: Hub, client: HubClient, tiny_model_folder: Path, tmp_path: Path
) -> None:
    old = client.run(PUSH, path=tiny_model_folder, repo="tester/pinned", settings={})
    expected = client.run(LOGITS, source=tiny_model_folder, settings={})
    change = "from kobert_hf_emotion import KoBERTTokenizer\n" + BUMP
    change += "model.tokenizer = KoBERTTokenizer.from_pretrained(source, word_split='gluonnlp')\n"
    client.run(change + "model.save_pretrained(folder)", source=tiny_model_folder, folder=tmp_path / "new")
    client.run(PUSH, path=tmp_path / "new", repo="tester/pinned", settings={})
    client.run(PUSH, path=tmp_path / "new", repo="tester/pinned", settings={"revision": "v2"})
    assert client.run(LOGITS, source="tester/pinned", settings={"revision": old}) == expected
    assert client.run(LOGITS, source="tester/pinned", settings={}) != expected
    split = "from kobert_hf_emotion import *\nmodel = EmotionClassifier.from_pretrained('tester/pinned', **settings)\n"
    split += "result = model.tokenizer.word_split"
    assert client.run(split, settings={"revision": old}) == "sentencepiece"
    assert client.run(split, settings={}) == "gluonnlp"
    assert set(hub.repos["tester/pinned"].branches) == {"main", "v2"}


def refused(client: HubClient, code: str, **values: object) -> str:
    """Runs code that must end in our error for the Hub, and returns its message."""
    with pytest.raises(CodeError) as caught:
        client.run(code, **values)
    name, message = caught.value.args
    assert name == "HubError", message
    korean, english, *_ = message.split("\n")
    assert korean != english
    return message


def test_private_repository_needs_the_token(hub: Hub, client: HubClient, tiny_model_folder: Path) -> None:
    client.run(PUSH, path=tiny_model_folder, repo="tester/secret", settings={"private": True})
    for token in (False, OTHER_TOKEN):
        message = refused(client, LOGITS, source="tester/secret", settings={"token": token})
        assert "hf auth login" in message
    message = refused(
        client, "from kobert_hf_emotion import *; KoBERTTokenizer.from_pretrained('tester/secret', token=False)"
    )
    assert "tester/secret" in message
    expected = client.run(LOGITS, source=tiny_model_folder, settings={})
    assert client.run(LOGITS, source="tester/secret", settings={"token": READ_TOKEN}) == expected


def test_missing_repository_and_revision(hub: Hub, client: HubClient, tiny_model_folder: Path) -> None:
    assert "tester/nothing" in refused(client, LOGITS, source="tester/nothing", settings={})
    client.run(PUSH, path=tiny_model_folder, repo="tester/known", settings={})
    message = refused(client, LOGITS, source="tester/known", settings={"revision": "v9"})
    assert "list_repo_refs('tester/known')" in message


@pytest.mark.parametrize(
    ("token", "repo"), [("hf_wrong", "tester/x"), (READ_TOKEN, "tester/x"), (WRITE_TOKEN, "stranger/x"), (False, "a/b")]
)
def test_refused_token_leaves_nothing(
    hub: Hub, client: HubClient, tiny_model_folder: Path, token: str | bool, repo: str
) -> None:
    message = refused(client, PUSH, path=tiny_model_folder, repo=repo, settings={"token": token})
    assert "hf auth login" in message
    assert repo not in hub.repos


def test_name_the_hub_does_not_take(client: HubClient, tiny_model_folder: Path) -> None:
    message = refused(client, PUSH, path=tiny_model_folder, repo="a/b/c", settings={})
    assert "expected 'user/name'" in message


def fresh_weights(client: HubClient, source: Path, folder: Path, number: int) -> Path:
    """A model whose weights the server has not stored yet."""
    code = BUMP + "    model.classifier.bias += number\nmodel.tokenizer\nmodel.save_pretrained(folder)"
    client.run(code, source=source, folder=folder, number=number)
    return folder


def test_cut_connection_is_retried(hub: Hub, client: HubClient, tiny_model_folder: Path, tmp_path: Path) -> None:
    model = fresh_weights(client, tiny_model_folder, tmp_path / "model", 10)
    hub.cut_uploads = 3
    before = len(hub.requests)
    client.run(PUSH, path=model, repo="tester/cut", settings={})
    assert sum(request.startswith("PUT /lfs") for request in hub.requests[before:]) == 4
    assert len(hub.commits("tester/cut")) == 1
    assert {name: sha256(content) for name, content in hub.files("tester/cut").items()} == hashes(model)


def test_connection_that_stays_cut_leaves_no_commit(
    hub: Hub, client: HubClient, tiny_model_folder: Path, tmp_path: Path
) -> None:
    model = fresh_weights(client, tiny_model_folder, tmp_path / "model", 20)
    hub.cut_uploads = 1000
    message = refused(client, PUSH, path=model, repo="tester/broken", settings={})
    hub.cut_uploads = 0
    assert "tester/broken" in message
    assert "Try again" in message
    assert hub.commits("tester/broken") == []
    assert hub.files("tester/broken") == {}
    client.run(PUSH, path=model, repo="tester/broken", settings={})
    assert {name: sha256(content) for name, content in hub.files("tester/broken").items()} == hashes(model)


def test_lost_answer_does_not_commit_twice(hub: Hub, client: HubClient, tiny_model_folder: Path) -> None:
    hub.lose_answers = 1
    oid = client.run(PUSH, path=tiny_model_folder, repo="tester/lost", settings={})
    assert hub.lose_answers == 0
    assert [commit.oid for commit in hub.commits("tester/lost")] == [oid]


def test_no_hub_at_all(client: HubClient, tiny_model_folder: Path, tmp_path: Path) -> None:
    code = "import huggingface_hub, kobert_hf_emotion.runs.push as hub\n"
    code += "hub.HfApi = lambda token: huggingface_hub.HfApi(endpoint='http://127.0.0.1:9', token=token)\n"
    code += "try:\n    hub.push_run(path, 'tester/off')\nfinally:\n    hub.HfApi = huggingface_hub.HfApi"
    assert "Try again" in refused(client, code, path=tiny_model_folder)


def test_card_with_broken_metadata(hub: Hub, client: HubClient, tiny_model_folder: Path, tmp_path: Path) -> None:
    model = fresh_weights(client, tiny_model_folder, tmp_path / "model", 30)
    (model / "README.md").write_text("---\nlanguage: [ko\n---\n", encoding="utf-8")
    assert "model card" in refused(client, PUSH, path=model, repo="tester/card", settings={})
    assert hub.commits("tester/card") == []


COMMAND = """
import contextlib, io
from kobert_hf_emotion.cli import main
out, err = io.StringIO(), io.StringIO()
with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
    code = main(argv)
result = [code, out.getvalue(), err.getvalue()]
"""


def test_push_command(hub: Hub, client: HubClient, run_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{WRITE_TOKEN}\n")
    argv = ["push", str(run_folder), "tester/command", "--token-file", str(tmp_path / "token")]
    options = ["--private", "--revision", "v1", "--message", "첫 실행", "--json"]
    code, out, err = client.run(COMMAND, argv=[*argv, *options])
    assert code == 0, err
    [commit] = hub.repos["tester/command"].branches["v1"][1:]
    assert (commit.oid, commit.title) == (json.loads(out)["commit"], "첫 실행")
    assert hub.repos["tester/command"].private
    code, out, err = client.run(COMMAND, argv=argv)
    assert code == 0, err
    assert 'kobert-emotion predict tester/command "오늘 정말 행복했어"' in out
    (tmp_path / "token").write_text("hf_wrong")
    code, out, err = client.run(COMMAND, argv=argv)
    assert (code, out) == (2, "")
    assert "Traceback" not in err
    assert err.count("오류 (error)") == 1
    assert "hf_wrong" not in err


def test_push_help_opens_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["push", "--help"]) == 0
    assert "예시: kobert-emotion push runs/a user/name" in capsys.readouterr().out.split("Options")[0]


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_folder_without_a_model_is_exit_code_2(capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["push", str(tmp_path / name), "user/name"]) == 2
    assert name in capsys.readouterr().err


def test_downloads_go_on_where_they_stopped(hub: Hub, client: HubClient, tiny_model_folder: Path) -> None:
    client.run(PUSH, path=tiny_model_folder, repo="tester/ranges", settings={})
    code = "from huggingface_hub.utils import get_session\n"
    code += "r = get_session().get(url, headers={'Range': 'bytes=10-19'}); result = [r.status_code, r.content.hex()]"
    status, content = client.run(code, url=f"{hub.url}/tester/ranges/resolve/main/model.safetensors")
    whole = (tiny_model_folder / "model.safetensors").read_bytes()
    assert (status, bytes.fromhex(content)) == (206, whole[10:20])


def test_repository_is_deleted(hub: Hub, client: HubClient) -> None:
    client.run("import huggingface_hub as h; h.create_repo('tester/gone'); h.delete_repo('tester/gone')")
    assert "tester/gone" not in hub.repos
    assert client.run("import huggingface_hub as h; result = h.whoami()['name']") == "tester"


def test_written_card_passes_the_hub_s_validation(client: HubClient, run_folder: Path) -> None:
    code = "from huggingface_hub import ModelCard; ModelCard.load(path).validate()"
    for card in [run_folder / "README.md", *run_folder.glob("fold_*/README.md")]:
        client.run(code, path=card)
