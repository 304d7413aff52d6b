"""Rows of ids with special tokens, against transformers' own rule for cutting pairs, one token at a time."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kobert_hf_emotion.tokenization.sequences import SequenceBuilder, as_batch

CLS, SEP = 2, 3


def cut(first: list[int], second: list[int], room: int) -> tuple[list[int], list[int]]:
    """`longest_first` as the documentation of transformers tells it, token by token."""
    first, second = list(first), list(second)
    while len(first) + len(second) > room:
        (first if len(first) > len(second) else second).pop()
    return first, second


IDS = st.lists(st.integers(5, 9), max_size=9)


@given(
    rows=st.lists(st.tuples(IDS, IDS), max_size=4),
    limit=st.one_of(st.none(), st.integers(3, 20)),
)
def test_pairs_are_cut_a_token_at_a_time_from_the_longer(
    rows: list[tuple[list[int], list[int]]], limit: int | None
) -> None:
    build = SequenceBuilder(CLS, SEP, limit)
    ids, types = build.pairs([a for a, _ in rows], [b for _, b in rows])
    for row, (first, second) in enumerate(rows):
        a, b = cut(first, second, 99 if limit is None else limit - 3)
        assert ids[row] == [CLS, *a, SEP, *b, SEP]
        assert types[row] == [0] * (len(a) + 2) + [1] * (len(b) + 1)


@given(st.lists(IDS, max_size=4), st.one_of(st.none(), st.integers(2, 12)))
def test_single_rows_lose_their_end(rows: list[list[int]], limit: int | None) -> None:
    expected = [[CLS, *row[: None if limit is None else limit - 2], SEP] for row in rows]
    ids, types = SequenceBuilder(CLS, SEP, limit).single([list(row) for row in rows])
    assert ids == expected
    assert types == [[0] * len(row) for row in expected]


@pytest.mark.parametrize("limit", [0, 1, 2])
def test_special_tokens_are_never_cut(limit: int) -> None:
    build = SequenceBuilder(CLS, SEP, limit)
    assert build.single([[7, 8]]) == ([[CLS, SEP]], [[0, 0]])
    assert build.pairs([[7]], [[8, 9]]) == ([[CLS, SEP, SEP]], [[0, 0, 1]])


@pytest.mark.parametrize(
    ("text", "pair", "expected"),
    [
        ("가", None, (["가"], None)),
        ("가", "나", (["가"], ["나"])),
        (["가", "나"], None, (["가", "나"], None)),
        (("가", "나"), ("다", "라"), (["가", "나"], ["다", "라"])),
        ([], None, ([], None)),
        ([], [], ([], [])),
        ("가", ["나"], None),
        (["가"], "나", None),
        (["가"], ["나", "다"], None),
        (["가"], [], None),
        (["가", 3], None, None),
        (["가"], [None], None),
        (None, "가", None),
        (None, None, None),
        ([["가", "나"]], None, None),
        ({"가": 1}, None, None),
    ],
)
def test_what_is_plain_texts(text: Any, pair: Any, expected: Any) -> None:
    assert as_batch(text, pair) == expected
