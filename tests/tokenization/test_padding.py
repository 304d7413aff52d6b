"""Padding, against the tokenizer's own."""

from __future__ import annotations

import random

import pytest
import torch

from kobert_hf_emotion.tokenization.padding import pad
from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer


@pytest.mark.parametrize("multiple", [None, 8, 7])
@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("columns", [("input_ids",), ("input_ids", "token_type_ids")])
def test_what_the_tokenizer_pads(
    tokenizer: KoBERTTokenizer, columns: tuple[str, ...], side: str, multiple: int | None
) -> None:
    padder = KoBERTTokenizer(tokenizer.vocab_file, padding_side=side)
    draw = random.Random(0)
    for count in (1, 2, 9):
        lengths = [draw.randint(1, 30) for _ in range(count)]
        rows = {name: [[draw.randint(0, 1) for _ in range(n)] for n in lengths] for name in columns}
        expected = padder.pad(dict(rows), pad_to_multiple_of=multiple, return_tensors="pt")
        found = pad(padder, rows, multiple)
        assert found.keys() == expected.keys()
        for name in found:
            assert found[name].dtype == expected[name].dtype
            assert torch.equal(found[name], expected[name])


def test_a_tokenizer_that_pads_in_its_own_way(tokenizer: KoBERTTokenizer) -> None:
    class Own(KoBERTTokenizer):
        def pad(self, *args: object, **kwargs: object) -> dict[str, torch.Tensor]:  # type: ignore[override]
            return {"asked": torch.tensor(1)}

    assert pad(Own(tokenizer.vocab_file), {"input_ids": [[1]]}) == {"asked": torch.tensor(1)}


def refuse(*args: object, **kwargs: object) -> None:
    raise AssertionError("the slow way was taken")


def test_the_tokenizer_itself_pads_what_is_unusual_and_nothing_else(tokenizer: KoBERTTokenizer) -> None:
    usual = KoBERTTokenizer(tokenizer.vocab_file)
    usual.pad = refuse  # type: ignore[method-assign]
    for columns in ({"input_ids": [[1, 2], [3]]}, {"input_ids": [[1]], "token_type_ids": [[0]]}):
        assert pad(usual, columns)["attention_mask"].sum() == sum(map(len, columns["input_ids"]))
    with_mask = {"input_ids": [[5, 6, 7], [8]], "attention_mask": [[1, 0, 1], [1]]}
    in_fives = pad(tokenizer, with_mask, 5)["attention_mask"].tolist()
    assert in_fives == [[1, 0, 1, 0, 0], [1, 0, 0, 0, 0]]
    found, expected = pad(tokenizer, with_mask), tokenizer.pad(dict(with_mask), return_tensors="pt")
    assert found["attention_mask"].tolist() == expected["attention_mask"].tolist() == [[1, 0, 1], [1, 0, 0]]
    without = KoBERTTokenizer(tokenizer.vocab_file)
    without.pad_token = None
    with pytest.raises(ValueError, match="padding token"):
        pad(without, {"input_ids": [[1], [2, 3]]})
