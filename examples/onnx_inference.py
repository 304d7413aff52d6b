r"""Predictions with an exported model and nothing but onnxruntime, numpy and sentencepiece: no torch, no transformers.

kobert-emotion export default --format onnx --int8 --output exported
pip install onnxruntime numpy sentencepiece
python examples/onnx_inference.py exported "오늘 정말 행복했어" "밤길이 무서웠어"
"""

from __future__ import annotations

import json
import os
import re
import sys
import unicodedata
from pathlib import Path

import numpy as np
import onnxruntime
import sentencepiece

SPECIAL = re.compile(r"(\[(?:UNK|PAD|CLS|SEP|MASK)\])")
SURROGATES = re.compile("[\ud800-\udfff]")


class Tokenizer:
    """`KoBERTTokenizer` with `word_split="sentencepiece"`: the same ids for every text."""

    def __init__(self, vocab_file: Path) -> None:
        self.pieces = sentencepiece.SentencePieceProcessor(model_file=str(vocab_file))
        self.cls, self.sep = self.pieces.piece_to_id(["[CLS]", "[SEP]"])
        if self.pieces.id_to_piece([self.cls, self.sep]) != ["[CLS]", "[SEP]"]:
            raise SystemExit(f"KoBERT의 어휘 순서가 아닙니다 (its pieces are not in KoBERT's order): {vocab_file}")
        if vocab_file.with_name("added_tokens.json").exists():
            raise SystemExit(f"추가된 토큰은 다루지 않습니다 (added tokens are not known here): {vocab_file.parent}")

    def __call__(self, text: str, max_length: int) -> list[int]:
        """Returns `[CLS] … [SEP]`, at most `max_length` ids."""
        ids: list[int] = []
        for part in SPECIAL.split(text):  # special tokens written out stand for themselves
            if SPECIAL.fullmatch(part):
                ids.append(self.pieces.piece_to_id(part))
            elif part.strip():
                ids += self.pieces.piece_to_id(self.split(part))
        return [self.cls, *ids[: max_length - 2], self.sep]

    def split(self, text: str) -> list[str]:
        """Splits plain text into pieces, as XLNet's tokenizer does."""
        text = " ".join(text.split()).replace("``", '"').replace("''", '"')
        text = "".join(mark for mark in unicodedata.normalize("NFKD", text) if not unicodedata.combining(mark))
        pieces: list[str] = []
        for piece in self.pieces.encode(SURROGATES.sub("\ufffd", text), out_type=str):
            pieces += self.without_comma(piece) if re.search(r".\d,$|^\d,$", piece) else [piece]
        return pieces

    def without_comma(self, piece: str) -> list[str]:
        """Splits a piece such as "▁10," into its number and the comma."""
        parts: list[str] = self.pieces.encode(piece[:-1].replace("▁", ""), out_type=str)
        if not piece.startswith("▁") and parts[0].startswith("▁"):
            parts = [part for part in (parts[0][1:], *parts[1:]) if part]
        return [*parts, ","]


class Model:
    """A folder that `kobert-emotion export` wrote."""

    def __init__(self, folder: Path) -> None:
        self.manifest = json.loads((folder / "export.json").read_text(encoding="utf-8"))
        if self.manifest["word_split"] != "sentencepiece":
            raise SystemExit(
                f"이 예제는 word_split='sentencepiece'만 다룹니다: {self.manifest['word_split']!r}\n"
                "This example knows word_split='sentencepiece' alone: use kobert_hf_emotion.OnnxClassifier instead."
            )
        self.tokenizer = Tokenizer(folder / "spiece.model")
        self.session = onnxruntime.InferenceSession(folder / self.manifest["model_file"])
        self.check_probes()

    def check_probes(self) -> None:
        """Ends where this processor does not compute what the one did on which the graph was exported."""
        probes = self.manifest["probes"]
        for number, (ids, expected) in enumerate(zip(probes["input_ids"], probes["logits"], strict=True), 1):
            off = np.abs(self.logits([ids])[0] - expected).max()
            if not off <= probes["tolerance"]:
                raise SystemExit(
                    f"이 컴퓨터의 결과가 내보낼 때와 다릅니다(시험 입력 {number}번, 로짓 차이 {off:.2g}).\n"
                    "이 컴퓨터에서 다시 내보내세요.\n"
                    f"This machine computes something else than the one that exported: probe {number} has logits off "
                    f"by {off:.2g}. Export again on this machine."
                )

    def predict(self, texts: list[str]) -> np.ndarray:
        """Returns the probability of every label, shape (texts, labels)."""
        logits = self.logits([self.tokenizer(text, self.manifest["max_length"]) for text in texts])
        powers = np.exp((logits - logits.max(-1, keepdims=True)) / self.manifest["temperature"])
        return powers / powers.sum(-1, keepdims=True)

    def logits(self, rows: list[list[int]]) -> np.ndarray:
        """Runs rows of ids, padded to the longest of them."""
        mask = np.arange(max(map(len, rows))) < np.array([[len(row)] for row in rows])
        ids = np.full(mask.shape, self.manifest["pad_token_id"], dtype=np.int64)
        ids[mask] = np.concatenate(rows)
        columns = {"input_ids": ids, "attention_mask": mask.astype(np.int64), "token_type_ids": np.zeros_like(ids)}
        [logits] = self.session.run(["logits"], {name: columns[name] for name in self.manifest["inputs"]})
        return logits


def main() -> None:
    """Prints the label of each text."""
    folder, *texts = sys.argv[1:] or [""]
    if not texts:
        raise SystemExit(__doc__)
    if files := [text for text in texts if os.path.isfile(text)]:
        raise SystemExit(
            f"문장이 아니라 파일입니다: {files[0]}\nThis is a file and no text: kobert-emotion predict reads it."
        )
    model = Model(Path(folder))
    for text, row in zip(texts, model.predict(texts), strict=True):
        print(f"{text}\t{model.manifest['labels'][row.argmax()]}\t{row.max():.4f}")


if __name__ == "__main__":
    main()
