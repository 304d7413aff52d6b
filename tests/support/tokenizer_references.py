"""Slow, independent renderings of the two published tokenizers, to compare ours with.

Written from what the originals do, a step a line, and deliberately not in the way the package does it.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

# BERT's: the Unified Ideographs, extensions A to E, and the two blocks of compatibility ideographs.
IDEOGRAPHS = ("一鿿", "㐀䶿", "𠀀𪛟", "𪜀𫜿", "𫝀\U0002b81f", "𫠠\U0002ceaf", "豈\ufaff", "丽\U0002fa1f")
SPECIAL = {"[UNK]": 0, "[PAD]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4}


def xlnet_pieces(sp: Any, text: str) -> list[str]:
    """XLNet's preprocessing and its rule for pieces that end in a digit and a comma."""
    text = " ".join(text.strip().split())
    text = text.replace("``", '"').replace("''", '"')
    text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    result: list[str] = []
    for piece in sp.encode_as_pieces(text):
        if len(piece) > 1 and piece.endswith(",") and piece[-2].isdigit():
            again = sp.encode_as_pieces(piece[:-1].replace("▁", ""))
            if piece[0] != "▁" and again[0][0] == "▁":
                if len(again[0]) == 1:
                    again = again[1:]
                else:
                    again[0] = again[0][1:]
            again.append(piece[-1])
            result.extend(again)
        else:
            result.append(piece)
    return result


def skt_ids(sp: Any, text: str) -> list[int]:
    """Ids of SKT's `KoBERTTokenizer` without `[CLS]` and `[SEP]` around them."""
    ids: list[int] = []
    for part in re.split(r"(\[(?:UNK|PAD|CLS|SEP|MASK)\])", text):
        if part in SPECIAL:
            ids.append(SPECIAL[part])
        elif part:
            ids.extend(sp.piece_to_id(piece) for piece in xlnet_pieces(sp, part))
    return ids


def gluon_words(text: str) -> list[str]:
    """The words of gluonnlp 0.10's basic tokenizer with `lower=False`."""
    first = ""
    for c in text:
        category = unicodedata.category(c)
        if c in "\t\n\r" or category == "Zs":
            first += " "
        elif category in ("Cc", "Cf", "Cs") or c == "\ufffd":  # Cs: cannot reach the original, dropped by ours
            continue
        elif any(first <= c <= last for first, last in IDEOGRAPHS):
            first += f" {c} "
        else:
            first += c
    second = ""
    for c in unicodedata.normalize("NFD", first):
        category = unicodedata.category(c)
        ascii_symbol = c.isascii() and c.isprintable() and not c.isalnum() and c != " "
        if category != "Mn":
            second += f" {c} " if ascii_symbol or category[0] == "P" else c
    return second.split()


def gluon_ids(sp: Any, text: str) -> list[int]:
    """Ids of gluonnlp's `BERTSPTokenizer`."""
    return [sp.piece_to_id(piece) for word in gluon_words(text) for piece in sp.encode_as_pieces(word)]
