"""How text is prepared before SentencePiece sees it, in the two ways KoBERT has been used with.

Both functions reproduce published behaviour exactly, quirks included, because the ids of a fine-tuned
checkpoint depend on them.
"""

from __future__ import annotations

import re
import unicodedata

_CJK_IDEOGRAPHS = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)
_ASCII_PUNCTUATION = ((33, 47), (58, 64), (91, 96), (123, 126))


# Text of these characters alone comes out of NFKD, removal of accents and SentencePiece's own NFKC as it went in:
# Hangul syllables are put together again, and what is left is stable.
_STABLE = re.compile(r"[ -~가-힣]*\Z")
# The same without a space at the ends.
_TIDY = re.compile(r"(?! )[ -~가-힣]*(?<! )\Z")
_UNSTABLE = re.compile(r"[^ -~가-힣]+")
# Final consonants on their own ("마ㄶ이"), in the forms that SentencePiece adds to a syllable before them where that
# syllable is taken apart, and only there.
_FINAL_CONSONANTS = re.compile("[\u11a8-\u11c2ㄳㄵㄶㄺ-ㄿ\uffa3\uffa5\uffa6\uffaa-\uffaf]")
# Halves of a surrogate pair, as a JSON text cut in the middle of an emoji leaves them: no text UTF-8 can hold.
_SURROGATES = re.compile("[\ud800-\udfff]")


class _MarkTable(dict[int, int | None]):
    """Takes combining characters out of a text; each character is looked up in Unicode's table at its first use."""

    def __missing__(self, code: int) -> int | None:
        value = self[code] = None if unicodedata.combining(chr(code)) else code
        return value


_MARKS = _MarkTable()


def prepare_xlnet(text: str) -> str:
    """Prepares text as SKT's `KoBERTTokenizer` does, which inherits it from XLNet's tokenizer.

    White space is collapsed, LaTeX quotes become `"`, and accents are removed after NFKD.
    """
    if "  " in text or not _TIDY.match(text):
        text = " ".join(text.split())
    text = text.replace("``", '"').replace("''", '"')
    if _STABLE.match(text):
        return text
    if _FINAL_CONSONANTS.search(text):
        return _decompose(text)
    return _UNSTABLE.sub(lambda run: _decompose(run[0]), text)  # marks aside, NFKD takes each character by itself


def _decompose(text: str) -> str:
    return _SURROGATES.sub("\ufffd", unicodedata.normalize("NFKD", text).translate(_MARKS))


class _GluonTable(dict[int, str]):
    """What each character becomes in gluonnlp's basic tokenizer, computed at its first use."""

    def __missing__(self, code: int) -> str:
        value = self[code] = _gluon_character(chr(code))
        return value


def _gluon_character(character: str) -> str:
    category = unicodedata.category(character)
    if character in " \t\n\r" or category == "Zs":
        return " "
    if character in "\0\ufffd" or category in ("Cc", "Cf", "Cs"):
        return ""
    if "가" <= character <= "힣":
        return character  # SentencePiece composes syllables: taking them apart changes nothing but what is below
    parts = "".join(f" {part} " if _is_punctuation(part) else part for part in _without_marks(character))
    return f" {parts} " if _within(character, _CJK_IDEOGRAPHS) else parts


def _without_marks(character: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", character) if unicodedata.category(c) != "Mn")


def _is_punctuation(character: str) -> bool:
    return unicodedata.category(character).startswith("P") or _within(character, _ASCII_PUNCTUATION)


def _within(character: str, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(first <= ord(character) <= last for first, last in ranges)


_GLUON_TABLE = _GluonTable()


def prepare_gluonnlp(text: str) -> list[str]:
    """Splits text into words as gluonnlp 0.10's basic tokenizer does when it keeps the case.

    Control characters and accents go, and punctuation and CJK ideographs become words of their own.
    """
    text = unicodedata.normalize("NFC", text).translate(_GLUON_TABLE)
    if _FINAL_CONSONANTS.search(text):
        text = unicodedata.normalize("NFD", text)
    return text.split()
