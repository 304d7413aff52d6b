"""From the bytes of a text file to its text: which encoding it is in, and how sure that is."""

from __future__ import annotations

import codecs
import logging
import re
from collections.abc import Callable, Iterator
from typing import IO, NamedTuple

from ..errors import DataError
from ..wording import Wording

logger = logging.getLogger(__name__)

_SAMPLE_SIZE = 1_000_000
_BLOCK_SIZE = 1 << 20
_HANGUL = re.compile("[가-힣ㄱ-ㆎ]")
_NON_ASCII = re.compile("[^\x00-\x7f]")
_BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it starts with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", ".xlsx (Excel) / .zip"),
    (b"\xd0\xcf\x11\xe0", ".xls (Excel 97-2003)"),
    (b"PAR1", ".parquet"),
    (b"\x1f\x8b", ".gz"),
    (b"BZh", ".bz2"),
    (b"\xfd7zXZ\x00", ".xz"),
    (b"%PDF", ".pdf"),
    (b"\x89PNG", ".png"),
)


class Decoded(NamedTuple):
    """The text of a file and the encoding it was read with."""

    text: str
    encoding: str


def decode(data: bytes, source: str, encoding: str | None = None) -> Decoded:
    """Decodes a text file, strictly and never with replacement characters.

    The order: a byte order mark, UTF-8, CP949 (what Korean Excel saves as "CSV"), and last the guess
    of charset-normalizer, which is logged as a warning with its confidence. A file that is UTF-8 or
    CP949 but for a few broken bytes is an error rather than a guess.

    Args:
        data: The content of the file.
        source: The file's name, for messages.
        encoding: The encoding to use in place of all that.

    Raises:
        DataError: The content is no text, or is not in `encoding`, or has broken bytes.
    """
    if encoding is not None:
        try:
            return _decode_as(data, source, encoding)
        except DataError as error:
            mend = {"encoding": None} if any(_is(data, name) for name in ("utf-8", "cp949")) else {}
            raise DataError(error.korean, error.english, mend=mend) from None
    for mark, name in _BOMS:
        if data.startswith(mark):
            return _decode_as(data, source, name)
    _refuse_known_binary(data, source)
    decoded = _decode_wide(data, source) if b"\0" in data else _decode_narrow(data, source)
    if _control_share(decoded.text) > 0.01:
        raise _not_text(source)
    return decoded


def find_encoding(open_bytes: Callable[[], IO[bytes]], source: str, encoding: str | None = None) -> str:
    """Returns the encoding that `decode` reads a file with, reading it through in blocks.

    Files of the usual kinds (a byte order mark, UTF-8, CP949) are never in memory as a whole. Those that are none
    of these, or broken, are: `decode` then says what is wrong with them, or guesses.

    Args:
        open_bytes: Opens the file; called once or twice.
        source: The file's name, for messages.
        encoding: The encoding to use in place of what would be found.

    Raises:
        DataError: As for `decode`.
    """
    with open_bytes() as handle:
        head = handle.read(2 * _SAMPLE_SIZE)  # as many characters as `decode` looks at, even of two bytes each
    marked = next((name for mark, name in _BOMS if head.startswith(mark)), None)
    wanted = marked if encoding is not None and _eats_mark(encoding, marked) else encoding or marked
    found = _usual_encoding(open_bytes, head, source) if wanted is None else _first_fitting(open_bytes, head, wanted)
    if found is not None:
        return found
    with open_bytes() as handle:
        return decode(handle.read(), source, wanted if encoding is not None else None).encoding


def _usual_encoding(open_bytes: Callable[[], IO[bytes]], head: bytes, source: str) -> str | None:
    """Returns which of UTF-8 and CP949 a file is in; None for one in another, or of what may be no text."""
    _refuse_known_binary(head, source)
    found = _first_fitting(open_bytes, head, "utf-8", "cp949")
    if found is None or b"\0" in head:
        return None
    beginning = _beginning(head, found)
    if _control_share(beginning) > 0.01:
        return None
    if found == "cp949":
        _warn_if_not_korean(beginning, source)
    return found


def _eats_mark(encoding: str, marked: str | None) -> bool:
    """Whether a file's byte order mark is of the encoding that was prescribed, which by itself would leave it in."""
    try:
        name = codecs.lookup(encoding).name
    except LookupError:
        return False
    return marked is not None and name.split("-")[:2] == marked.split("-")[:2]


def _first_fitting(open_bytes: Callable[[], IO[bytes]], head: bytes, *names: str) -> str | None:
    """Returns the first of `names` that a whole file can be decoded with; of several, none if NUL follows the head."""
    try:
        for name in names:
            head.decode(name, errors="ignore")  # refuses codecs that are not for text
        decoders = {name: codecs.getincrementaldecoder(name)() for name in names}
    except LookupError:
        return None
    narrow = b"\0" not in head
    with open_bytes() as handle:
        for block in _blocks(handle):
            if len(names) > 1 and narrow and b"\0" in block:
                return None
            decoders = {name: decoder for name, decoder in decoders.items() if _accepts(decoder, block)}
    return next(iter(decoders), None)


def _blocks(handle: IO[bytes]) -> Iterator[bytes]:
    """Yields a file in blocks, and an empty one at its end, which shows decoders whether a character is cut off."""
    while block := handle.read(_BLOCK_SIZE):
        yield block
    yield b""


def _accepts(decoder: codecs.IncrementalDecoder, block: bytes) -> bool:
    try:
        decoder.decode(block, final=not block)
    except UnicodeDecodeError:
        return False
    return True


def _beginning(head: bytes, encoding: str) -> str:
    """Decodes the beginning of a file, whose last character may be cut."""
    return codecs.getincrementaldecoder(encoding)().decode(head)


def _is(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _decode_as(data: bytes, source: str, encoding: str) -> Decoded:
    try:
        return Decoded(data.decode(encoding), encoding)
    except LookupError:
        raise DataError(
            f"{source}: '{encoding}'라는 인코딩은 없습니다. utf-8, cp949, utf-16 같은 이름을 쓰세요.",
            f"{source}: there is no encoding called '{encoding}'. Use a name such as utf-8, cp949 or utf-16.",
        ) from None
    except UnicodeDecodeError as error:
        raise _broken(data, source, encoding, error) from None


def _decode_wide(data: bytes, source: str) -> Decoded:
    """Decodes UTF-16 without a byte order mark; any other content with NUL bytes is binary."""
    for encoding in ("utf-16-le", "utf-16-be"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\n" in text and "\0" not in text and _hangul_share(text) > 0.5:
            return Decoded(text, encoding)
    raise _not_text(source)


def _decode_narrow(data: bytes, source: str) -> Decoded:
    failures: dict[str, UnicodeDecodeError] = {}
    for encoding in ("utf-8", "cp949"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError as error:
            failures[encoding] = error
            continue
        if encoding == "cp949":
            _warn_if_not_korean(text, source)
        return Decoded(text, encoding)
    for encoding, failure in failures.items():
        if _is_nearly(data, encoding):
            raise _broken(data, source, encoding, failure)
    return _detect(data, source)


def _warn_if_not_korean(text: str, source: str) -> None:
    share = _hangul_share(text)
    if share < 0.5:
        logger.warning(
            Wording(
                f"{source}: cp949로 읽었지만 ASCII가 아닌 글자 중 한글이 {share:.0%}뿐입니다. 글이 이상하면 "
                "`encoding`을 주세요",
                f"{source}: read as cp949, but only {share:.0%} of its non-ASCII characters are Hangul; if the text "
                "looks wrong, pass `encoding`",
            )
        )


def _detect(data: bytes, source: str) -> Decoded:
    from charset_normalizer import from_bytes

    sample = data if len(data) <= _SAMPLE_SIZE else data[: data.rfind(b"\n", 0, _SAMPLE_SIZE) + 1 or _SAMPLE_SIZE]
    matches = from_bytes(sample)
    best = matches.best()
    if best is None:
        raise _not_text(source)
    others = [match.encoding for match in matches if match.encoding != best.encoding]
    certain = f"{100 * (1 - best.chaos):.0f}%"
    listed = ", ".join(others[:5])
    logger.warning(
        Wording(
            f"{source}: UTF-8도 CP949도 아니어서 인코딩을 {best.encoding}(으)로 추정했습니다(확신 {certain}, "
            f"다른 후보: {listed or '없음'}). 글이 이상하면 `encoding`을 주세요",
            f"{source}: neither UTF-8 nor CP949; guessed {best.encoding} (confidence {certain}; also possible: "
            f"{listed or 'none'}). If the text looks wrong, pass `encoding`",
        )
    )
    return _decode_as(data, source, best.encoding)


def _refuse_known_binary(data: bytes, source: str) -> None:
    for signature, kind in _SIGNATURES:
        if data.startswith(signature):
            raise DataError(
                f"{source}: 글 파일이 아니라 {kind} 파일로 보입니다. 확장자를 내용에 맞게 바꾸거나 CSV로 저장하세요.",
                f"{source}: this looks like a {kind} file, not like text. "
                "Give it the suffix that fits its content, or save it as CSV.",
            )


def _not_text(source: str) -> DataError:
    return DataError(
        f"{source}: 글(text) 파일이어야 하는데 이진 데이터가 들어 있습니다. 'CSV UTF-8'로 다시 저장하세요.",
        f"{source}: expected a text file, found binary data or no encoding that fits. Save it again as 'CSV UTF-8'.",
    )


def _broken(data: bytes, source: str, encoding: str, error: UnicodeDecodeError) -> DataError:
    line = data.count(b"\n", 0, error.start) + 1
    found = data[error.start : error.start + 2].hex(" ")
    return DataError(
        f"{source} {line}번째 줄: {encoding} 글이어야 하는데 읽을 수 없는 바이트({found})가 있습니다. "
        "그 줄을 고치거나, 다른 인코딩이면 `encoding`을 지정하거나, UTF-8로 다시 저장하세요.",
        f"{source}, line {line}: expected {encoding} text, found bytes that are not ({found}). "
        "Mend that line, pass `encoding` if it is another one, or save the file again as UTF-8.",
    )


def _is_nearly(data: bytes, encoding: str) -> bool:
    text = data.decode(encoding, errors="replace")
    hangul = len(_HANGUL.findall(text))
    return hangul > 0 and hangul >= 10 * text.count("\ufffd")


def _hangul_share(text: str) -> float:
    """The share of Hangul among the non-ASCII characters of the beginning of `text`; 1 if it is all ASCII."""
    sample = text[:_SAMPLE_SIZE]
    others = len(_NON_ASCII.findall(sample))
    return len(_HANGUL.findall(sample)) / others if others else 1.0


def _control_share(text: str) -> float:
    sample = text[:10_000]
    return sum(char < " " and char not in "\t\n\r\f\v" for char in sample) / max(1, len(sample))
