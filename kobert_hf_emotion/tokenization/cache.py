"""Where the token ids of large data sets are kept between runs: in the cache of `datasets`, named by their content."""

from __future__ import annotations

import hashlib
import inspect
import logging
import tempfile
from importlib.metadata import version
from pathlib import Path

import datasets
import pyarrow as pa
from datasets.fingerprint import Hasher
from transformers import PreTrainedTokenizerBase

from ..wording import Wording
from . import context as turns_before
from . import normalization as text_preparation
from . import tokenizer as tokenization

logger = logging.getLogger(__name__)

CACHED_ROWS = 20_000
"""Fewer rows are tokenised sooner than a file is worth."""

_LIBRARIES = ("transformers", "tokenizers", "sentencepiece")


def cache_file(
    dataset: datasets.Dataset,
    columns: list[str],
    tokenizer: PreTrainedTokenizerBase,
    max_length: int,
    in_context: bool = False,
) -> Path | None:
    """Returns the file for the token ids of a data set, which may be there already.

    Its name is a hash of the values in `columns`, of the tokenizer and its code, of `max_length` and of the versions of
    the libraries beneath. A file that cannot be read is deleted, with a warning.

    Args:
        dataset: The rows.
        columns: What is tokenised or kept beside the ids.
        tokenizer: The model's tokenizer.
        max_length: Tokens a row is cut to.
        in_context: Whether second texts are the turns before a line, which are cut otherwise.

    Returns:
        The file; None for fewer than `CACHED_ROWS` rows, after `datasets.disable_caching()`, or, with a warning, where
        the cache cannot be written.
    """
    if len(dataset) < CACHED_ROWS or not datasets.is_caching_enabled():
        return None
    folder = Path(datasets.config.HF_DATASETS_CACHE) / "kobert_hf_emotion"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        logger.warning(
            Wording(
                f"토큰 캐시를 쓸 수 없어 이번 실행에서만 씁니다: {error}",
                f"Token ids are not kept for later runs: {error}",
            )
        )
        return None
    code = [inspect.getsource(module) for module in (text_preparation, tokenization)]
    if in_context:
        code.append(inspect.getsource(turns_before))
    decides = [_content_sha256(dataset, columns), Hasher.hash([tokenizer, max_length, code, *map(version, _LIBRARIES)])]
    file = folder / f"{hashlib.sha256('/'.join(decides).encode()).hexdigest()}.arrow"
    if file.exists():
        try:
            datasets.Dataset.from_file(str(file))
        except (OSError, pa.ArrowInvalid) as error:
            logger.warning(
                Wording(
                    f"손상된 토큰 캐시 {file}을(를) 지우고 다시 만듭니다: {error}",
                    f"The damaged token cache {file} is made again: {error}",
                )
            )
            file.unlink()
    return file


def _content_sha256(dataset: datasets.Dataset, columns: list[str]) -> str:
    """Returns a SHA-256 of Arrow's own bytes for the columns, whatever chunks or indices the rows come in."""
    digest = _Digest()
    table: pa.Table = dataset.select_columns(columns).with_format("arrow")[:]
    table = table.combine_chunks().replace_schema_metadata()
    with pa.PythonFile(digest, mode="w") as sink, pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return digest.sha256.hexdigest()


class _Digest:
    """A file that keeps the hash of what is written."""

    def __init__(self) -> None:
        self.sha256 = hashlib.sha256()
        self.closed = False

    def write(self, data: bytes) -> int:
        self.sha256.update(data)
        return len(data)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True
