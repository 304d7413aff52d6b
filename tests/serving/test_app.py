"""The endpoints: what is answered, what is refused and how, in both shapes and both languages."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import re
import threading
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from served import LABELS, FakeModel, ask, client_of, ready

from kobert_hf_emotion import EmotionClassifier, EmotionEnsemble, KoBERTEmotionError
from kobert_hf_emotion.inference.classifier import Classifier, load_classifier
from kobert_hf_emotion.serving import ServingOptions, app, create_app
from kobert_hf_emotion.serving.batching import Batcher

SENTENCES = [
    "오늘 정말 행복했어",
    "밤길에 누가 따라와서 무서웠어",
    "헐 진짜야",
    "ㅋㅋㅋ 너무 웃겨 🎉",
    "서류는 책상 위에 있어요",
]
JAPANESE = "難読漢字羅列試験"  # no syllable that KoBERT knows


def post(path: str, content: Any, **headers: str) -> Any:
    return lambda client: client.post(path, json=content, headers=headers)


def alike(served: list[dict[str, Any]], expected: list[Any]) -> bool:
    return [s["label"] for s in served] == [e["label"] for e in expected] and bool(
        np.allclose([s["score"] for s in served], [e["score"] for e in expected], rtol=0, atol=1e-5)
    )


def test_predictions_are_those_of_the_model(tiny_model: EmotionClassifier) -> None:
    texts = [*SENTENCES, "", " ", "👍🏽", "ㅋㅋㅋㅋ", "a\0b", "오늘".join("가나다") * 50]
    answer = ask(Classifier(tiny_model, tiny_model.tokenizer), post("/predict", {"texts": texts})).json()
    expected = tiny_model.predict(texts)
    assert alike(answer["predictions"], expected)
    assert [set(p) for p in answer["predictions"]] == [{"label", "score", "probabilities"}] * len(texts)
    for served, own in zip(answer["predictions"], expected, strict=True):
        assert served["probabilities"] == pytest.approx(own["probabilities"], abs=0.011)


def test_concurrent_requests_of_many_sizes_get_their_own_answers(tiny_model: EmotionClassifier) -> None:
    texts = [f"{text} {number}" for number in range(12) for text in SENTENCES]
    expected = tiny_model.predict(texts)
    cuts = [*range(60), *range(60, len(texts), 7), len(texts)]

    async def talk(client: httpx.AsyncClient) -> list[Any]:
        parts = [texts[a:b] for a, b in itertools.pairwise(cuts)]
        answers = await asyncio.gather(*(client.post("/predict", json={"texts": part}) for part in parts))
        return [prediction for answer in answers for prediction in answer.json()["predictions"]]

    served = ask(Classifier(tiny_model, tiny_model.tokenizer), talk, ServingOptions(max_batch_size=16))
    assert alike(served, expected)


def test_an_ensemble_is_served(tiny_model_folder: Path) -> None:
    ensemble = EmotionEnsemble([load_classifier(tiny_model_folder), load_classifier(tiny_model_folder)])
    answer = ask(ensemble, post("/predict", {"texts": SENTENCES[:5]})).json()
    assert alike(answer["predictions"], ensemble.predict(SENTENCES[:5]))


def test_texts_that_cannot_be_read_warn_and_leave_their_neighbours_alone(
    tiny_model: EmotionClassifier, caplog: pytest.LogCaptureFixture
) -> None:
    texts = [*(JAPANESE * (n + 1) for n in range(25)), SENTENCES[0]]
    answer = ask(Classifier(tiny_model, tiny_model.tokenizer), post("/predict", {"texts": texts}))
    assert answer.status_code == 200
    [warning] = answer.json()["warnings"]
    assert warning["texts"] == list(range(25))
    assert "25" in warning["message"]
    assert alike(answer.json()["predictions"][25:], tiny_model.predict(SENTENCES[:1]))
    assert "25 of 26 texts" in caplog.text
    assert JAPANESE not in caplog.text


def test_a_warning_is_for_the_request_that_holds_the_text(tiny_model: EmotionClassifier) -> None:
    async def talk(client: httpx.AsyncClient) -> list[Any]:
        bodies = [{"texts": [JAPANESE]}, {"texts": [SENTENCES[0]]}, {"texts": [SENTENCES[0], JAPANESE]}]
        return [a.json()["warnings"] for a in await asyncio.gather(*(client.post("/predict", json=b) for b in bodies))]

    warnings = ask(Classifier(tiny_model, tiny_model.tokenizer), talk)
    assert [[w["texts"] for w in one] for one in warnings] == [[[0]], [], [[1]]]


def test_a_text_that_fails_has_its_reason_and_its_neighbours_their_answers() -> None:
    async def talk(client: httpx.AsyncClient) -> list[httpx.Response]:
        bodies = [["좋아", "fail", "싫어"], ["fail"], ["좋다"]]
        return list(await asyncio.gather(*(client.post("/predict", json={"texts": texts}) for texts in bodies)))

    mixed, failed, good = ask(FakeModel(), talk)
    assert [p["label"] for p in mixed.json()["predictions"]] == ["good", None, "bad"]
    assert "ValueError" in mixed.json()["predictions"][1]["error"]
    assert failed.status_code == 500
    assert [p["label"] for p in good.json()["predictions"]] == ["good"]


def test_hugging_faces_shape() -> None:
    one = ask(FakeModel(), post("/", {"inputs": "좋아"})).json()
    assert [[p["label"] for p in row] for row in one] == [["good", "bad"]]
    assert sum(p["score"] for p in one[0]) == pytest.approx(1)
    two = ask(FakeModel(), post("/", {"inputs": ["좋아", "싫어"], "parameters": {"top_k": 1}, "options": {}})).json()
    assert [[p["label"] for p in row] for row in two] == [["good"], ["bad"]]
    assert ask(FakeModel(), post("/", {"inputs": ["좋아", "fail"]})).status_code == 500


@pytest.mark.parametrize(
    ("path", "content", "fields"),
    [
        ("/predict", {"texts": ["a", 3]}, ["texts[1]"]),
        ("/predict", {"texts": ["a", "\ud83d"]}, ["texts[1]"]),
        ("/predict", {"texts": [None, True]}, ["texts[0]", "texts[1]"]),
        ("/predict", {"texts": "좋아"}, ["texts"]),
        ("/predict", {"text": "좋아"}, ["texts", "text"]),
        ("/predict", {}, ["texts"]),
        ("/predict", [], ["body"]),
        ("/predict", "좋아", ["body"]),
        ("/predict", {"texts": [1] * 5000}, [f"texts[{n}]" for n in range(10)]),
        ("/", {"inputs": 1}, ["inputs"]),
        ("/", {"inputs": ["a", "\ud83d"]}, ["inputs", "inputs[1]"]),
        ("/", {"inputs": "a", "parameters": {"top_k": 0}}, ["parameters.top_k"]),
        ("/", {"inputs": "a", "parameters": {"function_to_apply": "sigmoid"}}, ["parameters.function_to_apply"]),
    ],
)
def test_bad_input_is_named(path: str, content: Any, fields: list[str]) -> None:
    body = json.dumps(content).encode()
    answer = ask(FakeModel(), lambda client: client.post(path, content=body, headers={"content-type": JSON}))
    assert answer.status_code == 422
    assert [problem["field"] for problem in answer.json()["fields"]] == fields
    for problem in answer.json()["fields"]:
        assert re.search("[가-힣]", problem["message"])
    assert "좋아" not in answer.text


JSON = "application/json"


@pytest.mark.parametrize("body", [b'{"texts":', '{"texts": ["좋아"]}'.encode("cp949"), b"", b"[" * 100_000])
def test_a_body_that_is_no_json_is_refused(body: bytes) -> None:
    answer = ask(FakeModel(), lambda client: client.post("/predict", content=body, headers={"content-type": JSON}))
    assert answer.status_code == 422
    assert "error" in answer.json()


def test_no_texts_no_predictions() -> None:
    assert ask(FakeModel(), post("/predict", {"texts": []})).json() == {"predictions": [], "warnings": []}
    assert ask(FakeModel(), post("/", {"inputs": []})).json() == []


def test_too_many_texts_or_bytes_are_413() -> None:
    options = ServingOptions(max_texts=3, max_bytes=200)
    answer = ask(FakeModel(), post("/predict", {"texts": ["a"] * 4}), options)
    assert (answer.status_code, "3" in answer.json()["error"]) == (413, True)
    assert ask(FakeModel(), post("/", {"inputs": ["a"] * 4}), options).status_code == 413
    assert ask(FakeModel(), post("/predict", {"texts": ["a" * 200]}), options).status_code == 413

    async def chunks() -> Any:
        for _ in range(50):
            yield b"a" * 100

    answer = ask(FakeModel(), lambda client: client.post("/predict", content=chunks()), options)
    assert answer.status_code == 413
    assert ask(FakeModel(), post("/predict", {"texts": ["a" * 150]}), options).status_code == 200


def test_a_full_queue_is_429_and_takes_again_when_there_is_room() -> None:
    model = FakeModel()

    async def talk(client: httpx.AsyncClient) -> list[httpx.Response]:
        model.gate.clear()
        first = asyncio.ensure_future(client.post("/predict", json={"texts": ["a"]}))
        while not model.batches:
            await asyncio.sleep(0.01)  # then it is with the model, and no longer waits
        waiting = [asyncio.ensure_future(client.post("/predict", json={"texts": ["b", "c"]})) for _ in range(2)]
        while (await client.get("/health")).json()["waiting"] < 4:
            await asyncio.sleep(0.01)
        refused = await client.post("/predict", json={"texts": ["d"]})
        model.gate.set()
        taken = [await answer for answer in (first, *waiting)]
        return [refused, *taken, await client.post("/predict", json={"texts": ["e"]})]

    refused, *taken = ask(model, talk, ServingOptions(max_queue=4, max_texts=4))
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) >= 1
    assert [answer.status_code for answer in taken] == [200] * 4
    assert ["d"] not in model.batches


def test_health_is_503_until_the_model_has_answered() -> None:
    model = FakeModel()
    model.gate.clear()

    async def run() -> list[Any]:
        async with client_of(create_app(model)) as client:
            before = await client.get("/health")
            early = asyncio.ensure_future(client.post("/predict", json={"texts": ["좋아"]}))
            await asyncio.sleep(0.05)
            model.gate.set()
            await ready(client)
            return [before, await early, await client.get("/health")]

    before, early, after = asyncio.run(run())
    assert (before.status_code, before.json()["status"]) == (503, "starting")
    assert early.json()["predictions"][0]["label"] == "good"
    assert (after.status_code, after.json()) == (200, {"status": "ready", "waiting": 0, "error": None})


def test_a_model_that_cannot_answer_says_so_and_nothing_hangs(tiny_model: EmotionClassifier) -> None:
    class Broken(FakeModel):
        def predict_logits(self, *arguments: Any, **more: Any) -> Any:
            raise KoBERTEmotionError("토크나이저가 한국어를 읽지 못합니다.", "The tokenizer does not read Korean.")

    async def run() -> list[httpx.Response]:
        async with client_of(create_app(Broken())) as client:
            early = await client.post("/predict", json={"texts": ["좋아"]})
            late = await client.post("/predict", json={"texts": ["좋아"]})
            return [early, late, await client.get("/health")]

    early, late, health = asyncio.run(run())
    assert [early.status_code, late.status_code, health.status_code] == [503, 503, 503]
    assert health.json()["status"] == "failed"
    assert "does not read Korean" in health.json()["error"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer 다른열쇠".encode()}, 401),
        ({"Authorization": "Bearer other"}, 401),
        ({"Authorization": "Basic 열쇠".encode()}, 401),
        ({"Authorization": "Bearer 열쇠".encode()}, 200),
        ({"X-API-Key": "열쇠".encode()}, 200),
    ],
)
def test_the_key_is_asked_for(headers: dict[str, Any], status: int) -> None:
    async def talk(client: httpx.AsyncClient) -> list[int]:
        bodies = [("/predict", {"texts": ["a"]}), ("/", {"inputs": "a"})]
        answers = [await client.post(path, json=body, headers=headers) for path, body in bodies]
        return [*(a.status_code for a in answers), (await client.get("/metrics", headers=headers)).status_code]

    assert ask(FakeModel(), talk, ServingOptions(api_key="열쇠")) == [status] * 3


def test_what_needs_no_key() -> None:
    async def talk(client: httpx.AsyncClient) -> list[int]:
        return [(await client.get(path)).status_code for path in ("/", "/health", "/labels", "/docs", "/openapi.json")]

    assert ask(FakeModel(), talk, ServingOptions(api_key="key")) == [200] * 5


def test_other_sites_may_ask_only_where_they_are_named() -> None:
    asked = {"Origin": "https://example.com", "Access-Control-Request-Method": "POST"}
    closed = ask(FakeModel(), lambda client: client.options("/predict", headers=asked))
    assert "access-control-allow-origin" not in closed.headers
    options = ServingOptions(cors_origins=("https://example.com",), api_key="key")
    opened = ask(FakeModel(), lambda client: client.options("/predict", headers=asked), options)
    assert opened.headers["access-control-allow-origin"] == "https://example.com"
    other = asked | {"Origin": "https://other.example"}
    refused = ask(FakeModel(), lambda client: client.options("/predict", headers=other), options)
    assert "access-control-allow-origin" not in refused.headers


def test_the_page_is_framed_only_where_that_is_named() -> None:
    def policy(options: ServingOptions) -> str:
        found = ask(FakeModel(), lambda client: client.get("/"), options)
        return str(found.headers["content-security-policy"])

    assert policy(ServingOptions()).endswith("; frame-ancestors 'none'")
    opened = ServingOptions(frame_origins=("https://huggingface.co", "https://*.hf.space"))
    assert policy(opened).endswith("; frame-ancestors https://huggingface.co https://*.hf.space")
    for origin in ("huggingface.co", "https://a.example; script-src *", "*", "https://a.example/x"):
        with pytest.raises(KoBERTEmotionError, match="frame_origin"):
            ServingOptions(frame_origins=(origin,))


@pytest.mark.parametrize("logged", [False, True])
def test_texts_are_logged_only_where_that_was_asked_for(logged: bool, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "kobert_hf_emotion")
    ask(FakeModel(), post("/predict", {"texts": ["비밀인데 좋아", "fail"]}), ServingOptions(log_texts=logged))
    assert ("비밀" in caplog.text) is logged


def test_metrics_count() -> None:
    async def talk(client: httpx.AsyncClient) -> str:
        await client.post("/predict", json={"texts": ["a", "b", "fail"]})
        await client.post("/predict", json={"texts": [1]})
        await client.get("/wp-admin.php")
        return (await client.get("/metrics")).text

    text = ask(FakeModel(), talk)
    for line in (
        'kobert_emotion_requests_total{endpoint="POST /predict",status="200"} 1.0',
        'kobert_emotion_requests_total{endpoint="POST /predict",status="422"} 1.0',
        'kobert_emotion_requests_total{endpoint="GET other",status="404"} 1.0',
        'kobert_emotion_request_seconds_count{endpoint="POST /predict"} 2.0',
        "kobert_emotion_texts_total 3.0",
        "kobert_emotion_failed_texts_total 1.0",
        "kobert_emotion_waiting_texts 0.0",
        "kobert_emotion_batch_texts_sum 3.0",
    ):
        assert line in text.splitlines()
    assert "wp-admin" not in text


def test_memory_is_given_back_as_long_as_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    given = threading.Event()
    monkeypatch.setattr(app, "SECONDS_BETWEEN_GIVING_BACK", 0.01)
    monkeypatch.setattr(app, "give_back", given.set)

    async def talk(client: httpx.AsyncClient) -> list[bool]:
        found = []
        for _ in range(2):
            given.clear()
            found.append(await asyncio.to_thread(given.wait, 30))
        return found

    assert ask(FakeModel(), talk) == [True, True]


def test_a_failure_to_give_memory_back_does_not_keep_the_server_from_stopping(monkeypatch: pytest.MonkeyPatch) -> None:
    failed, stopped = threading.Event(), []

    def fail() -> None:
        failed.set()
        raise OSError("no libc")

    async def stop(batcher: Batcher) -> None:
        stopped.append(batcher)
        await stop_really(batcher)

    stop_really = Batcher.stop
    monkeypatch.setattr(Batcher, "stop", stop)
    monkeypatch.setattr(app, "SECONDS_BETWEEN_GIVING_BACK", 0.01)
    monkeypatch.setattr(app, "give_back", fail)

    codes = []

    async def talk(client: httpx.AsyncClient) -> None:
        await asyncio.to_thread(failed.wait, 30)
        codes.append((await client.post("/predict", json={"texts": ["a"]})).status_code)

    with pytest.raises(OSError, match="no libc"):
        ask(FakeModel(), talk)
    assert codes == [200], "answers go on"
    assert len(stopped) == 1


def test_every_field_is_described_in_both_languages() -> None:
    schema = ask(FakeModel(), lambda client: client.get("/openapi.json")).json()
    found = []

    def check(name: str, described: dict[str, Any]) -> None:
        text = described.get("description", "") + described.get("summary", "")
        assert re.search("[가-힣]", text), name
        assert re.search("[a-z]{4}", text), name
        found.append(name)

    for name, model in schema["components"]["schemas"].items():
        check(name, model)
        for field, described in model["properties"].items():
            check(f"{name}.{field}", described)
    for path, methods in schema["paths"].items():
        for method, described in methods.items():
            check(f"{method} {path}", described)
            assert not described.get("parameters")
            for status, answer in described["responses"].items():
                if status != "200":
                    check(f"{method} {path} {status}", answer)
    assert {"PredictRequest.texts", "TextPrediction.score", "get /health 503", "post / 413"} <= set(found)


def test_docs_load_nothing_from_elsewhere() -> None:
    async def talk(client: httpx.AsyncClient) -> tuple[str, list[int]]:
        page = (await client.get("/docs")).text
        sources = re.findall(r'(?:src|href)="([^"]+)"', page)
        return page, [(await client.get(source)).status_code for source in sources]

    page, answers = ask(FakeModel(), talk)
    assert not re.search(r"https?://(?!test)", page)
    assert len(answers) >= 3
    assert set(answers) == {200}


def test_labels() -> None:
    assert ask(FakeModel(), lambda client: client.get("/labels")).json() == {"labels": LABELS}


@pytest.mark.parametrize("changed", [{"max_batch_size": 0}, {"max_wait_ms": -1}, {"max_queue": 10}, {"max_texts": "a"}])
def test_options_that_cannot_be(changed: dict[str, Any]) -> None:
    with pytest.raises(KoBERTEmotionError):
        ServingOptions(**changed)
