"""A real server in another process: as its users start it, ask it, hang up on it and end it."""

from __future__ import annotations

import http.client
import json
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import huggingface_hub
import numpy as np
import pytest
from huggingface_hub import InferenceClient
from sentences import sentences
from served import server

from kobert_hf_emotion import EmotionClassifier
from kobert_hf_emotion.cli import main
from kobert_hf_emotion.serving import server as serving_server
from kobert_hf_emotion.serving.options import read_api_key

TEXTS = [text for text, _ in sentences(20)]


@pytest.fixture(scope="module")
def url(tiny_model_folder: Path) -> Iterator[str]:
    with server(str(tiny_model_folder), "--max-bytes", "1000000") as (address, _):
        wait(address)
        yield address


def wait(address: str) -> None:
    for _ in range(600):
        if httpx.get(f"{address}/health").status_code == 200:
            return
        time.sleep(0.05)
    raise AssertionError("the server is not ready")


def waiting(address: str) -> int:
    return int(httpx.get(f"{address}/health").json()["waiting"])


@pytest.mark.slow
def test_answers_under_concurrent_mixed_load_are_those_of_predict(url: str, tiny_model: EmotionClassifier) -> None:
    expected = dict(zip(TEXTS, tiny_model.predict(TEXTS), strict=True))

    def ask(seed: int) -> list[tuple[str, dict[str, Any]]]:
        chosen = random.Random(seed).choices(TEXTS, k=1 + seed % 7)
        if seed % 3:
            found = httpx.post(f"{url}/predict", json={"texts": chosen}, timeout=60).json()["predictions"]
        else:
            rows = httpx.post(f"{url}/", json={"inputs": chosen}, timeout=60).json()
            found = [row[0] for row in rows]
        return list(zip(chosen, found, strict=True))

    with ThreadPoolExecutor(16) as pool:
        answers = [pair for pairs in pool.map(ask, range(150)) for pair in pairs]
    assert [a["label"] for _, a in answers] == [expected[text]["label"] for text, _ in answers]
    scores = [expected[text]["score"] for text, _ in answers]
    np.testing.assert_allclose([a["score"] for _, a in answers], scores, rtol=0, atol=1e-5)


@pytest.fixture
def hub_is_online(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' HF_HUB_OFFLINE would keep Hugging Face's client from any server; it asks the local one alone."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)


def test_hugging_faces_own_client(url: str, tiny_model: EmotionClassifier, hub_is_online: None) -> None:
    client = InferenceClient(model=url)
    [own] = tiny_model.predict(TEXTS[:1])
    answer = client.text_classification(TEXTS[0])
    assert (answer[0].label, len(answer)) == (own["label"], 7)
    assert answer[0].score == pytest.approx(own["score"], abs=1e-5)
    assert [a.label for a in client.text_classification(TEXTS[0], top_k=2)] == [a.label for a in answer[:2]]


def test_a_body_that_is_too_long_is_refused_while_it_is_sent(url: str) -> None:
    """With a length that was announced, and in chunks without one; the client reads the answer either way."""
    body = json.dumps({"texts": ["가나다라마바사" * 10] * 10_000}).encode()
    assert httpx.post(f"{url}/predict", content=body, timeout=60).status_code == 413
    chunks = (body[start : start + 65_536] for start in range(0, len(body), 65_536))
    assert httpx.post(f"{url}/predict", content=chunks, timeout=60).status_code == 413
    assert httpx.post(f"{url}/predict", json={"texts": ["a"] * 10_000}, timeout=60).status_code == 413
    assert httpx.post(f"{url}/predict", json={"texts": TEXTS}, timeout=60).status_code == 200


def test_clients_that_hang_up_free_their_places(url: str) -> None:
    place = urlsplit(url)
    body = json.dumps({"texts": ["이 글은 아주 길다 " * 60] * 1000}).encode()[:-1] + b" }"
    for _ in range(8):
        with socket.create_connection((place.hostname, place.port)) as raw:
            head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
            raw.sendall(head.encode() + b"\r\n\r\n" + body)
    for _ in range(200):
        if waiting(url) == 0:
            break
        time.sleep(0.05)
    assert waiting(url) == 0
    assert httpx.post(f"{url}/predict", json={"texts": ["a"]}, timeout=60).status_code == 200


def test_a_client_that_offers_http_2_keeps_its_body(url: str) -> None:
    """As Java's HttpClient does with its first request, and so Spring's."""
    headers = {
        "Connection": "Upgrade, HTTP2-Settings",
        "Upgrade": "h2c",
        "HTTP2-Settings": "AAEAAEAAAAIAAAABAAMAAABkAAQ",
    }
    answer = httpx.post(f"{url}/predict", json={"texts": TEXTS[:2]}, headers=headers, timeout=60)
    assert answer.status_code == 200
    assert len(answer.json()["predictions"]) == 2


def test_what_is_no_http_does_not_stop_it(url: str) -> None:
    place = urlsplit(url)
    for rubbish in (b"\0\1\2\3", b"GET / HTTP/1.1\r\n", b"POST /predict HTTP/1.1\r\nContent-Length: -5\r\n\r\n"):
        with socket.create_connection((place.hostname, place.port)) as raw:
            raw.sendall(rubbish)
    assert httpx.get(f"{url}/health").status_code == 200


@pytest.mark.slow
def test_sigterm_ends_it_with_0_after_all_that_was_taken_is_answered(tiny_model_folder: Path) -> None:
    with server(str(tiny_model_folder), "--max-batch-size", "1") as (address, process):
        wait(address)
        place = urlsplit(address)
        answers: list[int] = []

        def ask() -> None:
            connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=60)
            body = json.dumps({"texts": ["이 글은 아주 길다 " * 60] * 30})
            connection.request("POST", "/predict", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answers.append(len(json.loads(answer.read())["predictions"]))

        asking = [threading.Thread(target=ask) for _ in range(10)]
        for thread in asking:
            thread.start()
        while waiting(address) < 150:
            time.sleep(0.005)
        process.send_signal(signal.SIGTERM)
        for thread in asking:
            thread.join(60)
        assert process.wait(60) == 0
        assert answers == [30] * 10
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()


@pytest.mark.slow
def test_the_key_comes_from_a_file(tiny_model_folder: Path, tmp_path: Path, hub_is_online: None) -> None:
    (tmp_path / "key").write_text("file-key\n", encoding="utf-8")
    with server(str(tiny_model_folder), "--api-key-file", str(tmp_path / "key")) as (address, _):
        assert httpx.post(f"{address}/predict", json={"texts": []}).status_code == 401
        client = InferenceClient(model=address, token="file-key")
        assert len(client.text_classification("오늘 정말 행복했어", top_k=1)) == 1


def test_it_listens_on_loopback_and_says_where(url: str) -> None:
    assert url.startswith("http://127.0.0.1:")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no/such/model"], "there is no such model"),
        (["default", "--max-queue", "10"], "--max-queue 1000"),
        (["default", "--api-key-file", "no-such-file"], "--api-key-file"),
        (["default", "--tokenizer", "x"], "--tokenizer"),
    ],
)
def test_what_cannot_be_served_is_said_before_it_listens(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving_server, "serve", lambda *a, **k: pytest.fail("it was served"))
    assert main(["serve", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_the_key_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_api_key(None) is None
    monkeypatch.setenv("KOBERT_EMOTION_API_KEY", "env-key")
    assert read_api_key(None) == "env-key"
    (tmp_path / "key").write_text(" file-key\n", encoding="utf-8")
    assert read_api_key(tmp_path / "key") == "file-key"


def test_an_empty_key_is_no_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "key").write_text("\n", encoding="utf-8")
    assert main(["serve", "default", "--api-key-file", str(tmp_path / "key")]) == 2
    assert "empty" in capsys.readouterr().err


def test_a_port_that_another_has(tiny_model_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", str(tiny_model_folder), "--port", str(port)]) == 2
    assert "--port 0" in capsys.readouterr().err


def test_without_the_extra_its_name_is_said() -> None:
    code = (
        "import sys; sys.modules['fastapi_offline'] = None\n"
        "from kobert_hf_emotion.cli import main\nsys.exit(main(['serve', 'default']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 2
    assert "pip install 'kobert-hf-emotion[serve]'" in done.stderr
