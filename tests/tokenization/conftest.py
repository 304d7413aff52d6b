"""A SentencePiece model with pieces that KoBERT's has not."""

from __future__ import annotations

from pathlib import Path

import pytest
import sentencepiece


@pytest.fixture(scope="session")
def digit_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `spiece.model` of a vocabulary with pieces that end in a digit and a comma."""
    folder = tmp_path_factory.mktemp("digits")
    corpus = folder / "corpus.txt"
    lines = ["가격은 10,000원", "12, 34, 5,", "1,1,1,", "a9, b10,", "3,3, 33,", "순위 1, 2, 3,"] * 40
    corpus.write_text("\n".join(lines), encoding="utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(corpus),
        model_prefix=str(folder / "spiece"),
        vocab_size=80,
        hard_vocab_limit=False,
        split_by_number=False,
        split_by_unicode_script=False,
        unk_piece="[UNK]",
        unk_id=0,
        pad_piece="[PAD]",
        pad_id=1,
        bos_id=-1,
        eos_id=-1,
        control_symbols=["[CLS]", "[SEP]", "[MASK]"],
        user_defined_symbols=["▁1,", "2,", "▁12,", "0,", "00,", "3,", "33,", "▁2", "3210,", "▁2103,", "210,"],
        minloglevel=2,
    )
    return folder / "spiece.model"
