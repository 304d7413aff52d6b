"""Leave one out, on answers whose words are known to count for what they do."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from kobert_hf_emotion.errors import DataError, KoBERTEmotionError
from kobert_hf_emotion.explanation.faithfulness import faithfulness
from kobert_hf_emotion.explanation.leave_one_out import leave_one_out, without
from kobert_hf_emotion.modeling.classifier import EmotionClassifier
from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer

LABELS = ["fear", "sad", "happy"]
WEIGHTS = {"행복했어": (0.0, -1.0, 3.0), "슬프다": (0.5, 2.0, 0.0), "ㅠㅠ": (0.0, 1.0, 0.25)}


def add_up(texts: list[str]) -> NDArray[np.float32]:
    """Logits that are sums over the words of a text."""
    rows = [np.sum([WEIGHTS.get(word, (0.0, 0.0, 0.0)) for word in text.split()], axis=0) for text in texts]
    return np.array([np.broadcast_to(row, 3) for row in rows], dtype=np.float32)


def explain(tokenizer: KoBERTTokenizer, texts: list[str], max_length: int = 64):
    return leave_one_out(add_up, tokenizer, max_length, LABELS, texts)


def test_each_word_contributes_its_weight_beside_those_of_other_labels(tokenizer: KoBERTTokenizer) -> None:
    [found] = explain(tokenizer, ["오늘 행복했어  슬프다 ㅠㅠ"])
    assert [word.text for word in found.words] == ["오늘", "행복했어", "슬프다", "ㅠㅠ"]
    for word in found.words:
        weights = np.array(WEIGHTS.get(word.text, (0, 0, 0)))
        np.testing.assert_allclose(list(word.contributions.values()), weights - weights.mean(), atol=1e-6)
        assert sum(word.contributions.values()) == pytest.approx(0, abs=1e-6)
    chances = np.exp([0.5, 2, 3.25]) / np.exp([0.5, 2, 3.25]).sum()
    assert found.label == "happy"
    np.testing.assert_allclose(list(found.probabilities.values()), chances, rtol=1e-5)
    assert found.score == pytest.approx(chances[2], rel=1e-5)


def test_texts_do_not_mix(tokenizer: KoBERTTokenizer) -> None:
    texts = ["행복했어 오늘", "", "슬프다", "   ", "ㅠㅠ 슬프다 행복했어"]
    together = explain(tokenizer, texts)
    assert together == [explain(tokenizer, [text])[0] for text in texts]
    assert [len(found.words) for found in together] == [2, 0, 1, 0, 3]


def test_what_is_not_read_contributes_nothing_and_is_named(tokenizer: KoBERTTokenizer) -> None:
    text = "오늘 " * 10 + "행복했어"
    [found] = explain(tokenizer, [text], max_length=8)  # six tokens and the two around them
    assert [word.text for word in found.words] == ["오늘"] * 6
    assert found.text == text
    assert found.unread.strip() == "오늘 오늘 오늘 오늘 행복했어"
    assert found.contributions("happy").tolist() == [0.0] * 6


@pytest.mark.parametrize(
    ("spans", "left"),
    [([(0, 2)], "정말  좋아"), ([(4, 6)], "오늘  좋아"), ([(0, 2), (8, 10)], "정말"), ([], "오늘  정말  좋아")],
)
def test_words_go_with_the_space_before_them(spans: list[tuple[int, int]], left: str) -> None:
    assert without("오늘  정말  좋아", spans) == left


def test_a_model_is_explained_as_it_predicts(tiny_model: EmotionClassifier) -> None:
    tiny_model.config.softmax_temperature = 1.7
    text = "시험에 떨어져서 너무 슬프다 ㅠㅠ"
    [found], [predicted] = tiny_model.explain([text]), tiny_model.predict([text])
    assert (found.label, found.score) == (predicted["label"], pytest.approx(predicted["score"], abs=1e-6))
    labels = tiny_model.config.labels
    with_it, without_it = (
        np.log([prediction["probabilities"][name] for name in labels])
        for prediction in tiny_model.predict([text, "시험에 떨어져서 슬프다 ㅠㅠ"])
    )
    change = (with_it - with_it.mean()) - (without_it - without_it.mean())  # logarithms of probabilities, rounded
    np.testing.assert_allclose([found.words[2].contributions[name] for name in labels], change, atol=2e-3)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"texts": "한 문장"}, DataError),
        ({"texts": [3]}, DataError),
        ({"texts": ["나"], "method": "attention"}, KoBERTEmotionError),
        ({"texts": ["나"], "label": "joy"}, KoBERTEmotionError),
    ],
)
def test_what_is_not_understood_is_refused(
    tiny_model: EmotionClassifier, arguments: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        tiny_model.explain(**arguments)  # type: ignore[arg-type]


def test_faithful_is_what_names_the_words_that_count(tokenizer: KoBERTTokenizer) -> None:
    explanations = explain(tokenizer, ["오늘 행복했어", "슬프다 그냥"])
    found = faithfulness(add_up, LABELS, explanations)
    # Without the one word that counts all labels are equal; with it alone nothing changes.
    happy, sad = np.exp(3) / np.exp([0, -1, 3]).sum(), np.exp(2) / np.exp([0.5, 2, 0]).sum()
    np.testing.assert_allclose(found.comprehensiveness, [happy - 1 / 3, sad - 1 / 3], rtol=1e-5)
    np.testing.assert_allclose(found.sufficiency, [0, 0], atol=1e-7)
    turned = faithfulness(add_up, LABELS, explanations, [-found.contributions() for found in explanations])
    np.testing.assert_allclose(turned.comprehensiveness, [0, 0], atol=1e-7)
    np.testing.assert_allclose(turned.sufficiency, [happy - 1 / 3, sad - 1 / 3], rtol=1e-5)
