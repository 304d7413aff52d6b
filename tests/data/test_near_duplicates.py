"""Near duplicates against comparing every pair of sets."""

from __future__ import annotations

import random

import numpy as np
import pytest

from kobert_hf_emotion.data.near_duplicates import near_twins

_WHO = ["친구가", "엄마가", "동생이", "선생님이", "직장동료가", "이웃집아저씨가"]
_WHEN = ["오늘은", "어제는", "주말에는", "아침에는", "방금", "지난주에"]
_WHY = ["약속을어겨서", "선물을줘서", "말도없이떠나서", "크게소리를질러서", "상을받아서"]
_SO = ["정말화가났다", "기분이좋았다", "눈물이났다", "너무놀랐다", "아무렇지도않았다"]


def template_texts(count: int, seed: int) -> list[str]:
    """Distinct texts of one template, with a typing error in every other one."""
    chance = random.Random(seed)
    texts: dict[str, None] = {}
    while len(texts) < count:
        text = "".join(chance.choice(part) for part in (_WHEN, _WHO, _WHY, _SO))
        if chance.random() < 0.5:
            place = chance.randrange(len(text))
            text = text[:place] + chance.choice("가나다라마") + text[place + chance.randrange(2) :]
        texts[text] = None
    return list(texts)


def character_pairs(text: str) -> set[str]:
    return {text[i : i + 2] for i in range(len(text) - 1)}


def jaccard(a: set[str], b: set[str]) -> float:
    return len(a & b) / len(a | b) if a | b else 0.0


def every_twin(texts: list[str], similarity: float) -> list[set[int]]:
    """The earlier near twins of each text, by comparing all."""
    sets = list(map(character_pairs, texts))
    return [{i for i in range(j) if jaccard(sets[i], sets[j]) >= similarity} for j in range(len(texts))]


@pytest.mark.parametrize("similarity", [0.7, 0.8, 0.9])
def test_agrees_with_comparing_all_pairs(similarity: float) -> None:
    texts = template_texts(500, seed=1)
    true = every_twin(texts, similarity)
    twins, _ = near_twins(texts, similarity=similarity)
    found = [j for j, twin in enumerate(twins) if twin >= 0]
    assert all(twins[j] in true[j] for j in found)  # precision 1: whatever is reported is a pair
    wanted = [j for j, pairs in enumerate(true) if pairs]
    assert len(wanted) > 5
    assert len(found) >= 0.98 * len(wanted)  # recall


def test_probes_are_compared_with_the_texts_only() -> None:
    texts = template_texts(400, seed=2)
    keys, probes = texts[:250], texts[250:]
    sets = list(map(character_pairs, texts))
    true = [{i for i, key in enumerate(sets[:250]) if jaccard(key, probe) >= 0.8} for probe in sets[250:]]
    twins, probe_twins = near_twins(keys, probes)
    assert np.array_equal(twins, near_twins(keys)[0])
    found = [j for j, twin in enumerate(probe_twins) if twin >= 0]
    assert all(probe_twins[j] in true[j] for j in found)
    assert len(found) >= 0.98 * sum(map(bool, true)) > 20


def test_random_texts_are_no_twins() -> None:
    chance = random.Random(3)
    texts = ["".join(chr(0xAC00 + chance.randrange(11172)) for _ in range(20)) for _ in range(300)]
    assert (near_twins(texts)[0] == -1).all()


def test_texts_without_character_pairs() -> None:
    twins, probe_twins = near_twins(["", "굿", "최고", "최고고"], ["굿", ""])
    assert twins.tolist() == [-1, -1, -1, -1]
    assert probe_twins.tolist() == [-1, -1]
    assert near_twins([])[0].tolist() == []
    assert near_twins(["가"])[0].tolist() == [-1]


def test_one_template_of_many_rows_needs_no_square_of_them() -> None:
    texts = [
        f"주문번호{number}번의배송이늦어져서정말화가났고다시는여기서사지않겠다고다짐했다" for number in range(3000)
    ]
    twins, _ = near_twins(texts)
    assert (twins[1:] >= 0).mean() > 0.99
    assert (twins < np.arange(3000)).all()


def test_characters_beyond_the_basic_plane() -> None:
    texts = ["오늘은😀정말좋은날이었어요", "오늘은😀정말좋은날이었어요😀", "\ud83d짝없는반쪽글자"]
    assert near_twins(texts)[0].tolist() == [-1, 0, -1]
