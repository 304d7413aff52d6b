"""The lines of conversation that the default model learns: none of them is asked in a test, each has its emotion."""

from __future__ import annotations

import csv

import pytest
from behaviour_cases import CAPABILITIES
from paths import ROOT

from kobert_hf_emotion.labels import EMOTION_LABELS


@pytest.fixture(autouse=True)
def repository_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """`default_model` is no part of the installed package."""
    monkeypatch.syspath_prepend(str(ROOT))


def letters(text: str) -> str:
    return "".join(character for character in text if character.isalnum())


def asked_in_tests() -> set[str]:
    asked = {value for cases in CAPABILITIES.values() for case in cases for value in vars(case).values()}
    texts = {letters(value) for value in asked if isinstance(value, str)}
    for name in ("train", "test"):
        with (ROOT / f"kobert_hf_emotion/assets/sample/{name}.csv").open(encoding="utf-8") as stream:
            texts |= {letters(row["Text"]) for row in csv.DictReader(stream)}
    return texts


def triples(text: str) -> set[str]:
    return {text[place : place + 3] for place in range(len(text) - 2)}


def test_no_line_is_in_the_sample_or_in_the_behavioural_cases() -> None:
    from default_model.spoken import spoken_rows

    texts = asked_in_tests()
    assert not [text for text, _ in spoken_rows() if letters(text) in texts]


@pytest.mark.slow
def test_no_written_line_is_much_like_one_that_is_asked() -> None:
    from default_model.spoken import written_rows

    asked = [triples(text) for text in asked_in_tests() if len(text) > 5]
    for text, _ in written_rows():
        own = triples(letters(text))
        assert max(len(own & other) / len(own | other) for other in asked) < 0.4, text


def test_lines_are_distinct_and_their_shares_sum_to_one() -> None:
    from default_model.spoken import spoken_rows

    rows = spoken_rows()
    assert len({text for text, _ in rows}) == len(rows) > 1500
    assert {len(shares) for _, shares in rows} == {len(EMOTION_LABELS)}
    assert all(sum(shares) == pytest.approx(1) for _, shares in rows)
    assert {max(range(7), key=shares.__getitem__) for _, shares in rows} == set(range(7))


def test_a_denied_fear_is_calm_and_a_weak_one_weaker_than_a_strong_one() -> None:
    from default_model.spoken import pattern_rows

    shares = {text: dict(zip(EMOTION_LABELS, row, strict=True)) for text, row in pattern_rows()}
    assert shares["하나도 안 무서워"]["fear"] == 0
    assert shares["조금 무서워"]["fear"] < shares["너무 무서워"]["fear"]
    assert shares["전혀 안 행복해"]["happy"] == 0
