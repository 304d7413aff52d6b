"""Texts a second through the tokenizer, on one core."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from kobert_hf_emotion.tokenization.tokenizer import KoBERTTokenizer

from .baselines import fast_tokenizer
from .models import MAX_LENGTH, save_model
from .report import OURS, Disagreement, Report
from .texts import Texts
from .timing import interleave

MIN_SHARED_WITH_FAST = 0.99


def measure(texts: Texts, source: str, repeats: int) -> Report:
    """Times `tokenizer(list, truncation=True, max_length=64)` in both modes beside its alternatives.

    Args:
        texts: What to tokenise.
        source: Where the tokenizer comes from, as for `KoBERTTokenizer.from_pretrained`.
        repeats: Rounds.

    Raises:
        Disagreement: A batch gives other ids than its texts one by one, or the `tokenizers` library gives the same
            ids for fewer than 99% of the texts.
    """
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # one core, as SentencePiece is called here
    rows = texts.texts
    tokenizer = KoBERTTokenizer.from_pretrained(source)
    gluon = KoBERTTokenizer.from_pretrained(source, word_split="gluonnlp")
    with TemporaryDirectory() as folder:
        fast = fast_tokenizer(save_model("tiny", texts.label_names, tokenizer, Path(folder)))
    ids = tokenizer(rows, truncation=True, max_length=MAX_LENGTH)["input_ids"]
    differing = _differs_one_by_one(tokenizer, rows, ids) + _differs_one_by_one(
        gluon, rows, gluon(rows, truncation=True, max_length=MAX_LENGTH)["input_ids"]
    )
    fast_ids = fast(rows, truncation=True, max_length=MAX_LENGTH)["input_ids"]
    shared = sum(a == b for a, b in zip(ids, fast_ids, strict=True)) / len(rows)
    if differing or shared < MIN_SHARED_WITH_FAST:
        raise Disagreement(f"{differing} texts differ one by one; tokenizers gives {shared:.3%} the same")
    timings = interleave(
        {
            OURS: lambda: tokenizer(rows, truncation=True, max_length=MAX_LENGTH),
            'kobert_hf_emotion, word_split="gluonnlp"': lambda: gluon(rows, truncation=True, max_length=MAX_LENGTH),
            "tokenizers (PreTrainedTokenizerFast)": lambda: fast(rows, truncation=True, max_length=MAX_LENGTH),
            "sentencepiece alone, nothing prepared or added": lambda: tokenizer.sp_model.encode(
                rows, out_type=int, num_threads=1
            ),
        },
        repeats,
    )
    return Report(
        title=f"Tokenization, one core: {len(rows):,} texts of {texts.name}",
        checks={"texts whose ids differ one by one": differing, "the same ids from tokenizers": shared},
        timings=timings,
        items=len(rows),
        facts={"tokens a text": sum(map(len, ids)) / len(ids)},
    )


def _differs_one_by_one(tokenizer: KoBERTTokenizer, rows: list[str], ids: list[list[int]]) -> int:
    cls, sep, room = tokenizer.cls_token_id, tokenizer.sep_token_id, MAX_LENGTH - 2
    return sum(
        row != [cls, *list(map(tokenizer.convert_tokens_to_ids, tokenizer.tokenize(text)))[:room], sep]
        for text, row in zip(rows, ids, strict=True)
    )
