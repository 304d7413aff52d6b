"""The reference ids of KoBERT's tokenizers."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

GLUON_LENGTH = 64


TRICKY = [
    "",
    " ",
    "\t \n　",
    "ㅋㅋㅋㅋ ㅠㅠㅠ ㅎㅎ",
    "굿!!!! ...... 최고,,, 1,000원 3,",
    "😀👍🏽❤️ 👨‍👩‍👧",
    "≠ é Å ñ Ω ﬁ ½ ① ㎏ ％",
    "漢字와 日本語 カタカナ ひらがな",
    "영\u200b폭\u200d영\ufeff역\u00ad 제어\x00문\x07자\x1f\x7f \ufffd",
    "``인용'' ''따옴표`` '`",
    "[CLS] 문장 [SEP][MASK][PAD] [UNK]끝 [mask] [ SEP ] [[MASK]]",
    "한글 \u1112\u1161\u11ab\u1100\u1173\u11af 옛한글 \u1112\u119e\u11ab",
    "줄\n바꿈\r\n탭\t빈칸\u00a0넓은\u3000칸\u2028줄\x85끝",
    "e\u0301 a\u0300\u0323 \u0301앞 \u0345",
    "A=B+C<D>E|F~G^H$I`J",
    "«인용» “따옴표” ‘작은’ …—·、。！",
    "\ud83d 반쪽 \udc00",
    "가" * 300 + "ㅋ" * 300 + "." * 300,
    "𠀋𪜀豈 龥㐀",
    "٣, ३, 3, １，",
    "마ㄶ이 가ㄳ 시ㄺ 하ㅀ 가\u200d\u11a8 \uff76가\uffa3",
]


def read_golden(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
