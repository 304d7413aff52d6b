"""`kobert-emotion predict --engine ray`: files, folders and patterns, predicted on a cluster or on all cores."""

from __future__ import annotations

import glob
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ..data.report import in_words
from ..data.tables import ReadOptions
from ..errors import DataError
from ..utils.argument_checks import exists
from ..utils.garbage_collection import collector_spares_imports
from ..utils.progress import progress
from ..wording import Wording
from .groups import Columns, Engine, LabelRules
from .inputs import STDIN, looks_like_path
from .language import counted, lines, spoken, words
from .models import hierarchy_in, open_model
from .output import as_options, note, quiet_libraries, say, say_json, warn
from .turns import note_single_lines

if TYPE_CHECKING:
    from ..ray_engine.prediction import RayPrediction
    from ..ray_engine.records import Record

_SHOWN = 5
"""Files of a kind that are named on the screen; the manifest has all."""


def predict_files(
    model: str,
    inputs: Sequence[str],
    output: Path | None,
    as_text: bool,
    columns: Columns,
    read_labels: bool,
    rules: LabelRules,
    reading: ReadOptions,
    batch_size: int,
    tokenizer: str | None,
    num_attention_heads: int | None,
    engine: Engine,
    json: bool,
) -> None:
    """Predicts files as the options say; ends with exit code 2 where files cannot be read."""
    from ..ray_engine.cluster import require_ray
    from ..ray_engine.inputs import find_files

    require_ray()
    _refuse_texts(inputs, as_text)
    _check_output(output)
    assert output is not None
    files = find_files(inputs)  # before a model is loaded
    with collector_spares_imports(), quiet_libraries():
        from ..ray_engine.prediction import predict_on_ray

        opened = open_model(model, tokenizer, num_attention_heads)
        if columns.text_pair_column is None:
            note_single_lines(opened)
    hierarchy_in(opened.task, rules.fine_label_column)
    if (about := opened.task.about(spoken())) is not None:
        note(about)
    with quiet_libraries(), _progress(len(files)) as show:
        found = predict_on_ray(
            model,
            inputs,
            output,
            tokenizer=tokenizer,
            num_attention_heads=num_attention_heads,
            **vars(columns),
            read_labels=read_labels,
            **vars(rules),
            reading=reading,
            batch_size=batch_size,
            part_format=engine.part_format,
            actors=engine.actors,
            address=engine.ray_address,
            resume=engine.resume,
            strict=engine.strict,
            opened=opened,
            on_progress=show,
        )
    _say(found, output, json)
    if found.bad:
        raise typer.Exit(2)


def _refuse_texts(inputs: Sequence[str], as_text: bool) -> None:
    named = [word for word in inputs if exists(word) or looks_like_path(word) or glob.has_magic(word)]
    if as_text or list(inputs) == [STDIN] or not named:
        raise DataError(
            "`engine` ray는 파일과 폴더를 예측합니다. 문장은 `engine` 없이 예측하세요.",
            "`engine` ray predicts files and folders. Leave `engine` out for texts.",
            mend={"engine": None, "ray_address": None, "actors": None, "resume": False, "strict": False},
        )


def _check_output(output: Path | None) -> None:
    if output is None:
        raise DataError(
            "`engine` ray에는 결과를 쓸 폴더 `output`이 필요합니다.",
            "`engine` ray needs a folder to write the result to, as `output`.",
            mend={"output": "predictions"},
        )
    if output.is_file():
        raise DataError(
            f"`engine` ray는 `output`에 폴더를 쓰는데 {output}은(는) 파일입니다.",
            f"`engine` ray writes a folder as `output`, and {output} is a file.",
            mend={"output": str(output.with_suffix("")) if output.suffix else f"{output}_predictions"},
        )


@contextmanager
def _progress(files: int) -> Iterator[Callable[[Record], None]]:
    """Counts files that are done, and yields what is called with each record."""
    with progress(Wording("Ray로 예측", "predicting on Ray"), files, Wording("파일", "files"), whole=True) as advance:
        yield lambda record: advance(record["kind"] in ("file", "bad"))


def _say(result: RayPrediction, output: Path, json: bool) -> None:
    from ..inference.file_prediction import TwoLevelPrediction

    manifest, found = result.manifest, result.found
    _note_files(manifest)
    if (message := found.unknown.message()) is not None:
        warn(message.in_language(spoken()))
    parts = sum(len(file.get("parts", ())) for file in manifest["files"])
    note(f"{output}: {words('부분', 'parts')} {parts:,}, manifest.json")
    _say_bad(result)
    if json:
        names = (
            "rows_in",
            "rows_out",
            "dropped",
            "predicted",
            "unknown_texts",
            "bad_files",
            "scores",
            "report",
            "coarse",
        )
        say_json({"output": output, **{name: manifest[name] for name in names if name in manifest}})
    elif found.labelled:
        say("\n".join([found.text_report(), *found.scores().remarks(spoken())]))
    else:
        say(_counts(manifest["predicted"]))
    if not json and isinstance(found, TwoLevelPrediction):
        say(words("대분류(소분류 확률의 합)", "coarse labels (sums of the fine probabilities)"))
        say(found.coarse.text_report() if found.labelled else _counts(found.coarse_counts()))


def _counts(counts: Mapping[str, int]) -> str:
    return "  ".join(f"{name} {count:,}" for name, count in counts.items())


def _note_files(manifest: Mapping[str, Any]) -> None:
    """Says what was read of the files, and how; what was left out of them is said in any case."""
    files = manifest["files"]
    note(
        f"{counted(len(files), '개 파일', 'files')}: {words('예측한 행', 'rows predicted')} "
        f"{manifest['rows_out']:,}/{manifest['rows_in']:,}"
    )
    for columns, count in Counter(file["columns"] for file in files if "error" not in file).most_common(_SHOWN):
        note(f"  {words('열', 'columns')}: {columns} — {counted(count, '개 파일', 'files')}")
    if manifest["dropped"]:
        rows = counted(sum(manifest["dropped"].values()), "행", "rows")
        warn(f"  {words('제외', 'left out')} {rows}: {in_words(manifest['dropped'], spoken())}")
    notes = [Wording(**said) for file in files for said in file.get("notes", ())]
    for text in notes[:_SHOWN]:
        note(f"  {as_options(text.in_language(spoken()))}")
    if len(notes) > _SHOWN:
        note(f"  … (+{len(notes) - _SHOWN:,}, manifest.json)")


def _say_bad(result: RayPrediction) -> None:
    if not result.bad:
        return
    warn(
        lines(
            f"오류: 파일 {len(result.bad):,}개를 읽지 못했습니다. 나머지는 다 예측했습니다. 고친 다음 같은 명령에 "
            "--resume을 붙이면 그 파일만 합니다.",
            f"error: {len(result.bad):,} files cannot be read; all others are done. Mend them and add --resume to the "
            "same command, which does these alone.",
        )
    )
    for name, error in result.bad[:_SHOWN]:
        warn(f"  {name}\n    {as_options(error.in_language(spoken()))}")
    if len(result.bad) > _SHOWN:
        warn(f"  … (+{len(result.bad) - _SHOWN:,}, manifest.json)")
