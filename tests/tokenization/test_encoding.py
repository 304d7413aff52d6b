"""Token ids of a data set."""

from __future__ import annotations

from pathlib import Path

import datasets
import pytest

from kobert_hf_emotion.data.label_ids import label_ids
from kobert_hf_emotion.errors import DataError
from kobert_hf_emotion.tokenization.encoding import encode_dataset, padding_rows
from kobert_hf_emotion.tokenization.normalization import prepare_xlnet
from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer

TEXTS = ["오늘 정말 행복했어", "", "비가 오고 바람이 불어서 우산이 뒤집어졌다", "싫다"]
NAMES = ["a", "b"]


@pytest.fixture
def rows() -> datasets.Dataset:
    features = datasets.Features(
        {
            "id": datasets.Value("string"),
            "text": datasets.Value("string"),
            "label": datasets.ClassLabel(names=NAMES),
        }
    )
    return datasets.Dataset.from_dict({"id": list("wxyz"), "text": TEXTS, "label": [0, 1, 1, 0]}, features=features)


def test_rows(rows: datasets.Dataset, tokenizer: KoBERTTokenizer) -> None:
    encoded = encode_dataset(rows, tokenizer, 8, NAMES)
    assert encoded.column_names == ["input_ids", "token_type_ids", "labels"]
    assert encoded["labels"][:] == [0, 1, 1, 0]
    assert encoded.features["labels"] == datasets.ClassLabel(names=NAMES)
    for text, ids, types in zip(TEXTS, encoded["input_ids"], encoded["token_type_ids"], strict=True):
        pieces = tokenizer.convert_tokens_to_ids(tokenizer.tokenize(text))
        assert ids == [2, *pieces[:6], 3]
        assert types == [0] * len(ids)
    assert max(map(len, encoded["input_ids"])) == 8


def test_word_split_is_the_tokenizers(rows: datasets.Dataset, gluon_tokenizer: KoBERTTokenizer) -> None:
    encoded = encode_dataset(rows.map(lambda row: {"text": row["text"] + "."}), gluon_tokenizer, 64, NAMES)
    assert encoded["input_ids"][3] == gluon_tokenizer("싫다.")["input_ids"]


def test_without_labels(rows: datasets.Dataset, tokenizer: KoBERTTokenizer) -> None:
    assert encode_dataset(rows.remove_columns("label"), tokenizer, 64, NAMES).column_names == [
        "input_ids",
        "token_type_ids",
    ]


def test_pairs(rows: datasets.Dataset, tokenizer: KoBERTTokenizer) -> None:
    encoded = encode_dataset(rows.add_column("text_pair", TEXTS[::-1]), tokenizer, 64, NAMES)
    expected = tokenizer(TEXTS, TEXTS[::-1])
    assert encoded["input_ids"][:] == expected["input_ids"]
    assert encoded["token_type_ids"][:] == expected["token_type_ids"]


def test_encoded_rows_are_left_alone(rows: datasets.Dataset, tokenizer: KoBERTTokenizer) -> None:
    encoded = encode_dataset(rows, tokenizer, 8, NAMES)
    assert encode_dataset(encoded, tokenizer, 4, NAMES) is encoded
    assert rows.column_names == ["id", "text", "label"]


def test_labels_of_encoded_rows_are_numbered_as_the_model_does(
    rows: datasets.Dataset, tokenizer: KoBERTTokenizer
) -> None:
    encoded = encode_dataset(rows, tokenizer, 8, NAMES)
    turned = encode_dataset(encoded, tokenizer, 8, ["b", "a"])
    assert turned["labels"][:] == [1, 0, 0, 1]
    assert turned["input_ids"][:] == encoded["input_ids"][:]
    named_label = encode_dataset(encoded.rename_column("labels", "label"), tokenizer, 8, ["b", "a"])
    assert named_label["labels"][:] == [1, 0, 0, 1]
    assert "label" not in named_label.column_names


def test_no_rows(rows: datasets.Dataset, tokenizer: KoBERTTokenizer) -> None:
    encoded = encode_dataset(rows.select([]), tokenizer, 8, NAMES)
    assert len(encoded) == 0
    assert encoded.features == encode_dataset(rows, tokenizer, 8, NAMES).features


def test_padding_rows(rows: datasets.Dataset, tokenizer: KoBERTTokenizer) -> None:
    encoded = encode_dataset(rows, tokenizer, 8, NAMES)
    filler = padding_rows(2, encoded.features, tokenizer)
    joined = datasets.concatenate_datasets([encoded, filler])
    assert joined["labels"][:] == [0, 1, 1, 0, -100, -100]
    assert joined["input_ids"][-1] == [2, 3]


def test_in_two_processes(rows: datasets.Dataset, tokenizer: KoBERTTokenizer) -> None:
    found = rows.map(lambda row: tokenizer(row["text"]), num_proc=2)
    assert found["input_ids"][:] == tokenizer(TEXTS)["input_ids"]


@pytest.mark.parametrize(
    ("text", "prepared"),
    [("가  나", "가 나"), (" 가 나\t", "가 나"), ("``가''", '"가"'), ("é가", "e가"), ("가\u3000나", "가 나")],
)
def test_white_space_is_collapsed_before_sentencepiece(text: str, prepared: str) -> None:
    assert prepare_xlnet(text) == prepared


def test_padding_rows_of_several_labels_and_of_votes(tokenizer: KoBERTTokenizer) -> None:
    several = datasets.Dataset.from_dict(
        {"text": TEXTS[:2], "label": [[1, 0], []]},
        features=datasets.Features(
            {"text": datasets.Value("string"), "label": datasets.List(datasets.ClassLabel(names=NAMES))}
        ),
    )
    votes = datasets.Dataset.from_dict(
        {"text": TEXTS[:2], "label": [{"a": 2.0, "b": 1.0}, {"a": 0.0, "b": 3.0}]},
        features=datasets.Features(
            {"text": datasets.Value("string"), "label": {name: datasets.Value("float64") for name in NAMES}}
        ),
    )
    for rows, filler in ((several, [-100]), (votes, {"a": -100.0, "b": -100.0})):
        encoded = encode_dataset(rows, tokenizer, 16, NAMES)
        padding = padding_rows(3, encoded.features, tokenizer)
        assert padding.features == encoded.features
        assert padding["labels"][:] == [filler] * 3
        assert padding["input_ids"][:] == [[2, 3]] * 3
        assert padding["token_type_ids"][:] == [[0, 0]] * 3
        whole = label_ids(datasets.concatenate_datasets([encoded, padding]), NAMES)
        assert (whole[2:] == -100).all(), "no loss and no figure counts them"
        assert (whole[:2] >= 0).all()


def test_rows_with_neither_texts_nor_ids_are_refused(rows: datasets.Dataset, tokenizer: KoBERTTokenizer) -> None:
    with pytest.raises(DataError, match=r"no column 'text', found \['id', 'sentence', 'label'\]"):
        encode_dataset(rows.rename_column("text", "sentence"), tokenizer, 8, NAMES)


def test_turns_before_a_line_are_cut_and_the_line_is_not(rows: datasets.Dataset, tokenizer: KoBERTTokenizer) -> None:
    lines = rows.add_column("text_pair", ["비가 오고 바람이 불어서"] * 4)
    as_pair, in_context = (encode_dataset(lines, tokenizer, 10, NAMES, in_context=how) for how in (False, True))
    for row, text in enumerate(TEXTS):
        alone = tokenizer(text, truncation=True, max_length=10)["input_ids"]
        assert in_context["input_ids"][row][: len(alone)] == alone
    assert any(
        pair[: len(line)] != line[: len(pair)]
        for pair, line in zip(as_pair["input_ids"], in_context["input_ids"], strict=True)
    )
    alone, asked = (encode_dataset(rows, tokenizer, 10, NAMES, in_context=how) for how in (False, True))
    assert asked["input_ids"][:] == alone["input_ids"][:], "there are no turns"


def test_ids_without_labels_stay_as_they_are(rows: datasets.Dataset, tokenizer: KoBERTTokenizer) -> None:
    encoded = encode_dataset(rows.remove_columns("label"), tokenizer, 8, NAMES)
    assert encode_dataset(encoded, tokenizer, 4, NAMES)["input_ids"][:] == encoded["input_ids"][:]


def test_ids_are_of_four_bytes_and_a_mask_is_not_kept(rows: datasets.Dataset, vocab_file: Path) -> None:
    """A batch's mask is made when it is padded."""
    names = ["input_ids", "attention_mask"]
    for asked in (rows, rows.select([])):
        encoded = encode_dataset(asked, KoBERTTokenizer(vocab_file, model_input_names=names), 8, NAMES)
        assert encoded.column_names == ["input_ids", "labels"]
        assert encoded.features["input_ids"] == datasets.List(datasets.Value("int32"))
