"""Token ids kept between runs."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import pytest

from kobert_hf_emotion.tokenization import cache as token_cache
from kobert_hf_emotion.tokenization import encoding
from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer

TEXTS = ["오늘 정말 행복했어 ㅋㅋ", "비가 오고 바람이 불어서 우산이 뒤집어졌다", "싫다 ㅠㅠ", ""]


def dataset(texts: list[str] = TEXTS, labels: list[int] | None = None, **columns: Any) -> datasets.Dataset:
    names = datasets.ClassLabel(names=["a", "b"])
    rows = datasets.Dataset.from_dict({"text": texts, "label": labels or [0, 1, 1, 0], **columns})
    return rows.cast_column("label", names)


def encode_dataset(rows: datasets.Dataset, tokenizer: Any, max_length: int) -> datasets.Dataset:
    return encoding.encode_dataset(rows, tokenizer, max_length, ["a", "b"])


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the cache, for data sets of four rows and more."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "datasets")
    monkeypatch.setattr(token_cache, "CACHED_ROWS", 4)
    datasets.enable_caching()  # a benchmark run in this process may have turned it off
    yield tmp_path / "datasets" / "kobert_hf_emotion"
    datasets.enable_caching()


class Counting:
    """Counts the texts that a tokenizer is asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.texts = 0
        encode = KoBERTTokenizer.encode_texts

        def counted(tokenizer: KoBERTTokenizer, texts: Any) -> Any:
            self.texts += len(texts)
            return encode(tokenizer, texts)

        monkeypatch.setattr(KoBERTTokenizer, "encode_texts", counted)


def test_the_second_run_reads_what_the_first_wrote(
    vocab_file: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer, counting = KoBERTTokenizer(vocab_file), Counting(monkeypatch)
    first = encode_dataset(dataset(), tokenizer, 8)
    assert counting.texts == 4
    # Other columns, another order of construction and another tokenizer object change nothing.
    again = encode_dataset(dataset(id=list("wxyz")).select(range(4)), KoBERTTokenizer(vocab_file), 8)
    assert counting.texts == 4
    assert len(list(cache.glob("*.arrow"))) == 1
    expected = tokenizer(TEXTS, truncation=True, max_length=8)
    for encoded in (first, again):
        assert encoded.column_names == ["input_ids", "token_type_ids", "labels"]
        assert encoded["input_ids"][:] == expected["input_ids"]
        assert encoded["token_type_ids"][:] == expected["token_type_ids"]
        assert encoded["labels"][:] == [0, 1, 1, 0]


@pytest.mark.slow
def test_another_process_reads_it_too(vocab_file: Path, cache: Path) -> None:
    encode_dataset(dataset(), KoBERTTokenizer(vocab_file), 8)
    (file,) = cache.iterdir()
    program = f"""
import datasets
from kobert_hf_emotion.tokenization import cache as token_cache
from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer
token_cache.CACHED_ROWS = 4
rows = datasets.Dataset.from_dict({{"text": {TEXTS!r}, "label": [0, 1, 1, 0]}})
rows = rows.cast_column("label", datasets.ClassLabel(names=["a", "b"]))
print(token_cache.cache_file(rows, ["text"], KoBERTTokenizer({str(vocab_file)!r}), 8).name)
"""
    environment = os.environ | {"HF_DATASETS_CACHE": str(cache.parent), "PYTHONHASHSEED": "7"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == file.name


def test_whatever_decides_the_rows_makes_another_file(
    vocab_file: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = KoBERTTokenizer(vocab_file)
    other_token = KoBERTTokenizer(vocab_file)
    other_token.add_tokens(["행복"])
    runs = [
        (dataset(), tokenizer, 8),
        (dataset(), tokenizer, 9),
        (dataset(), KoBERTTokenizer(vocab_file, word_split="gluonnlp"), 8),
        (dataset(), other_token, 8),
        (dataset([*TEXTS[:3], "."]), tokenizer, 8),
        (dataset([TEXTS[0] + TEXTS[1][0], TEXTS[1][1:], *TEXTS[2:]]), tokenizer, 8),
        (dataset().select([1, 0, 2, 3]), tokenizer, 8),
        (dataset(text_pair=TEXTS[::-1]), tokenizer, 8),
    ]
    for count, (rows, encoder, max_length) in enumerate(runs, start=1):
        encoded = encode_dataset(rows, encoder, max_length)
        pairs = rows["text_pair"][:] if "text_pair" in rows.column_names else None
        expected = encoder(rows["text"][:], pairs, truncation=True, max_length=max_length)
        assert encoded["input_ids"][:] == expected["input_ids"]
        if "label" in rows.column_names:
            assert encoded["labels"][:] == rows["label"][:]
        assert len(list(cache.iterdir())) == count
    for rows in (dataset(labels=[0, 1, 1, 1]), dataset().remove_columns("label")):  # labels are no part of the tokens
        encoded = encode_dataset(rows, tokenizer, 8)
        assert encoded["input_ids"][:] == tokenizer(TEXTS, truncation=True, max_length=8)["input_ids"]
        assert "label" not in rows.column_names or encoded["labels"][:] == rows["label"][:]
        assert len(list(cache.iterdir())) == len(runs)
    monkeypatch.setattr(token_cache, "version", lambda _: "99")
    encode_dataset(*runs[0])
    assert len(list(cache.iterdir())) == len(runs) + 1


@pytest.mark.parametrize("kept", [0, 100, -7])
def test_a_damaged_file_is_made_again(
    kept: int, tokenizer: KoBERTTokenizer, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    expected = encode_dataset(dataset(), tokenizer, 8)["input_ids"][:]
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:kept])
    with caplog.at_level(logging.WARNING):
        assert encode_dataset(dataset(), tokenizer, 8)["input_ids"][:] == expected
    assert f"The damaged token cache {file} is made again" in caplog.text
    assert f"손상된 토큰 캐시 {file}을(를) 지우고 다시 만듭니다" in caplog.text
    assert file.read_bytes() == whole


def test_no_file_after_disable_caching_or_for_few_rows(
    tokenizer: KoBERTTokenizer, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = tokenizer(TEXTS, truncation=True, max_length=8)["input_ids"]
    datasets.disable_caching()
    assert encode_dataset(dataset(), tokenizer, 8)["input_ids"][:] == expected
    datasets.enable_caching()
    monkeypatch.setattr(token_cache, "CACHED_ROWS", 5)
    assert encode_dataset(dataset(), tokenizer, 8)["input_ids"][:] == expected
    assert not cache.exists()


def test_a_cache_that_cannot_be_written_is_reported(
    tokenizer: KoBERTTokenizer, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache.parent.write_text("a file where the folder should be")
    with caplog.at_level(logging.WARNING):
        encoded = encode_dataset(dataset(), tokenizer, 8)
    assert encoded["input_ids"][:] == tokenizer(TEXTS, truncation=True, max_length=8)["input_ids"]
    assert "Token ids are not kept" in caplog.text
    assert "토큰 캐시를 쓸 수 없어 이번 실행에서만" in caplog.text


def test_turns_before_lines_have_a_file_of_their_own(tokenizer: KoBERTTokenizer, cache: Path) -> None:
    rows = dataset(text_pair=TEXTS[::-1])
    files = [token_cache.cache_file(rows, ["text", "text_pair"], tokenizer, 8, how) for how in (False, True, False)]
    assert files[0] == files[2] != files[1]
    assert token_cache.cache_file(rows, ["text", "text_pair"], tokenizer, 8) == files[0]
