"""The record that lies in an exported folder: which files, what goes in, what comes out."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal, TypeAlias

from ..assets import DEFAULT_MODEL_NAME
from ..errors import CheckpointError
from ..hub.repo_id import is_only_on_hub
from ..utils.files import free_path

Precision: TypeAlias = Literal["float32", "int8"]
MANIFEST_FILE = "export.json"
FORMAT_VERSION = 3
"""1 had no probes; up to 2 the graph lay beside the other files, and not in `onnx/` where other engines look for it."""


@dataclass(frozen=True)
class Manifest:
    """What a program that runs an exported model has to know.

    Attributes:
        model_file: The graph's file, from the folder on, with "/".
        precision: What the graph's large matrix products are computed in.
        int8_products: Matrix products computed in int8; None in float32.
        labels: Label names in the order of the logits.
        temperature: What to divide the logits by before the softmax that gives the probabilities.
        max_length: Tokens to cut a text to, special ones included.
        inputs: The graph's inputs, each of shape (batch, tokens), int64; the output is `logits`.
        pad_token_id: What fills `input_ids` where `attention_mask` is 0.
        word_split: How `KoBERTTokenizer` splits words; None for another encoder's tokenizer.
        parity: What comparing the graph with torch found.
        probes: Inputs with the graph's own logits; None in a folder of format 1. See `probes`.
        versions: Of the libraries that wrote the folder.
        files: SHA-256 of every other file in the folder, by its name from the folder on.
        format_version: Of this record.
        source: What the command line was given as the model; a folder as seen from this one.
    """

    model_file: str
    precision: Precision
    int8_products: int | None
    labels: list[str]
    temperature: float
    max_length: int
    inputs: list[str]
    pad_token_id: int
    word_split: str | None
    parity: dict[str, Any]
    probes: dict[str, Any] | None
    versions: dict[str, str]
    files: dict[str, str]
    format_version: int = FORMAT_VERSION
    source: str | None = None

    def save(self, folder: Path) -> None:
        """Writes the record to a folder."""
        text = json.dumps(asdict(self), ensure_ascii=False, indent=2)
        (folder / MANIFEST_FILE).write_text(text + "\n", encoding="utf-8")

    def export_again(self, folder: Path) -> str | None:
        """Returns the command that exports the model anew, beside `folder`; None where the model is not at hand."""
        if self.source is None:
            return None
        source = os.path.normpath(folder / self.source)
        if not os.path.isdir(source):
            if self.source != DEFAULT_MODEL_NAME and not is_only_on_hub(self.source):
                return None
            source = self.source
        precision = ["--int8"] if self.precision == "int8" else []
        return shlex.join(["kobert-emotion", "export", source, *precision, "--output", str(free_path(folder))])


def is_export(path: str | os.PathLike[str]) -> bool:
    """Whether `path` is a folder that `export_onnx` wrote."""
    return Path(path, MANIFEST_FILE).is_file()


def load_manifest(folder: Path) -> Manifest:
    """Reads the record of a folder and checks that its files are those that were written.

    Raises:
        CheckpointError: There is no record, it is of another version, or a file is missing or changed.
    """
    try:
        record = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
        if record["format_version"] == 1:
            record["probes"] = None
        manifest = Manifest(**record)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise CheckpointError(
            f"{folder}: export로 만든 폴더가 아닙니다. {MANIFEST_FILE}을 읽을 수 없습니다({error}). 다시 내보내세요.",
            f"{folder}: not a folder that export wrote: cannot read {MANIFEST_FILE} ({error}). Export again.",
        ) from error
    if not 1 <= manifest.format_version <= FORMAT_VERSION:
        raise CheckpointError(
            f"{folder}: {MANIFEST_FILE}의 형식이 {manifest.format_version}판입니다. 읽을 수 있는 것은 "
            f"{FORMAT_VERSION}판까지입니다. 다시 내보내세요.",
            f"{folder}: {MANIFEST_FILE} has format {manifest.format_version}, expected 1 to {FORMAT_VERSION}. "
            "Export again.",
        )
    for name, expected in manifest.files.items():
        path = folder.joinpath(*[part for part in PurePosixPath(name).parts if part not in ("/", "..")])
        found = sha256(path) if path.is_file() else None
        if found != expected:
            state = ("없습니다", "is missing") if found is None else ("내보낸 뒤에 바뀌었습니다", "has changed since")
            raise CheckpointError(
                f"{path}: 파일이 {state[0]}. 폴더를 통째로 다시 복사하거나 다시 내보내세요.",
                f"{path}: the file {state[1]}. Copy the whole folder again, or export again.",
            )
    return manifest


def sha256(path: Path) -> str:
    """Returns the SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while block := handle.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
