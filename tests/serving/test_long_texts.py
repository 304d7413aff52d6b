"""Long texts and turns before a line, over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from served import ask

from kobert_hf_emotion.inference.classifier import Classifier
from kobert_hf_emotion.modeling.classifier import EmotionClassifier
from kobert_hf_emotion.serving import ServingOptions
from kobert_hf_emotion.tokenization.long_texts import LongTexts

TEXTS = ["오늘 정말 행복했어", "아침에는 비가 왔다. 버스를 놓쳐서 짜증이 났다! 그래도 점심은 맛있었다. " * 5, ""]


@pytest.fixture
def model(tiny_model: EmotionClassifier) -> Classifier:
    tiny_model.tokenizer.model_max_length = 24
    return Classifier(tiny_model, tiny_model.tokenizer)


def answers(model: Any, body: dict[str, Any], options: ServingOptions | None = None) -> Any:
    async def talk(client: httpx.AsyncClient) -> Any:
        answer = await client.post("/predict", json=body)
        return answer.status_code, answer.json()

    return ask(model, talk, options)


def near(found: Any, expected: Any) -> None:
    assert found["label"] == expected["label"]
    assert found["score"] == pytest.approx(expected["score"], abs=1e-4)
    assert found["probabilities"] == pytest.approx(expected["probabilities"], abs=0.02)


@pytest.mark.parametrize("mode", ["window", "sentence"])
def test_a_request_chooses_how_long_texts_are_answered(model: Classifier, mode: str) -> None:
    status, found = answers(model, {"texts": TEXTS, "long": mode, "stride": 8, "pool": "max"})
    assert status == 200
    expected = model.predict(TEXTS, long=LongTexts(mode, 8, "max"))  # type: ignore[arg-type]
    for one, other in zip(found["predictions"], expected, strict=True):
        near(one, other)
        assert len(one["parts"]) == len(other["parts"])  # type: ignore[typeddict-item]
        for part, own in zip(one["parts"], other["parts"], strict=True):  # type: ignore[typeddict-item]
            near(part, own)
            assert (part["start"], part["end"]) == (own["start"], own["end"])


def test_the_server_has_a_setting_of_its_own(model: Classifier) -> None:
    options = ServingOptions(long=LongTexts(stride=8))
    [_, expected, _] = model.predict(TEXTS, long=LongTexts(stride=8))
    [_, found, _] = answers(model, {"texts": TEXTS}, options)[1]["predictions"]
    near(found, expected)
    [_, found, _] = answers(model, {"texts": TEXTS, "long": "cut"}, options)[1]["predictions"]
    near(found, model.predict(TEXTS)[1])
    assert "parts" not in found


def test_what_means_nothing_is_refused(model: Classifier) -> None:
    for body in ({"stride": 8}, {"long": "window", "stride": 40}, {"contexts": [[], [], []]}, {"long": "word"}):
        status, found = answers(model, {"texts": TEXTS, **body})
        assert status == 422, body
        assert found["error"]
    status, _ = answers(
        model, {"texts": TEXTS, "long": "window", "stride": 8}, ServingOptions(max_texts=3, max_queue=4)
    )
    assert status == 413


def test_turns_come_with_the_request(tiny_model: EmotionClassifier) -> None:
    tiny_model.config.context_turns = 2
    model = Classifier(tiny_model, tiny_model.tokenizer)
    body = {"texts": ["네.", "네.", "그래."], "contexts": [["왜 늦었어"], [], ["하나", "합격했어", "축하해"]]}
    status, found = answers(model, body)
    assert status == 200
    expected = model.predict(body["texts"], text_pairs=["왜 늦었어", "", "합격했어 축하해"])
    for one, other in zip(found["predictions"], expected, strict=True):
        near(one, other)
    assert found["predictions"][0] != found["predictions"][1]
    assert answers(model, {"texts": ["네."], "contexts": []})[0] == 422
    single = answers(model, {"texts": ["네."]})[1]["predictions"][0]
    near(single, model.predict(["네."], text_pairs=[""])[0])
