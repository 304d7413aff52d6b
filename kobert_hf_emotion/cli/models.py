"""What a command is given as a model or a run: told from what is there, with the right one named where it is not."""

from __future__ import annotations

import difflib
import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..assets import DEFAULT_MODEL_NAME
from ..errors import CheckpointError, DataError, HubError, RunError, Setting, TokenizerError
from ..hub.repo_id import is_only_on_hub, is_repo_id
from ..utils.argument_checks import nearest_path
from .inputs import check_there
from .output import quiet_libraries

if TYPE_CHECKING:
    from ..data.levels import Hierarchy
    from ..inference.ensemble import Predictor
    from ..inference.logits_model import LogitsModel
    from ..tasks.task import Task

_PLAIN = (".csv", ".tsv", ".txt")
_SMALL = 1_000_000
"""Bytes of a file that is looked at as a whole."""


def open_model(model: str, tokenizer: str | None, num_attention_heads: int | None) -> LogitsModel:
    """Opens whatever predicts, a folder that export wrote among it, and moves it to the GPU where there is one.

    Raises:
        CheckpointError: As `load_model` does, or the export's files are damaged.
    """
    from ..export import OnnxClassifier, is_export

    if is_export(model):
        check_notebook_options(model, tokenizer, num_attention_heads)
        return OnnxClassifier.from_pretrained(model)
    classifier = load_model(model, tokenizer, num_attention_heads)
    classifier.to_accelerator()
    return classifier


def open_for_texts(
    model: str, tokenizer: str | None, num_attention_heads: int | None, texts: Sequence[str]
) -> LogitsModel:
    """Opens what answers a few texts: without torch where that can be done, else as `open_model` does.

    Raises:
        CheckpointError: As `open_model` does.
    """
    if tokenizer is None and num_attention_heads is None:
        from ..export.light import light_classifier

        with quiet_libraries(needs_transformers=False):
            light = light_classifier(model, texts)
        if light is not None:
            return light
    with quiet_libraries():
        return open_model(model, tokenizer, num_attention_heads)


def open_for_file(model: str, tokenizer: str | None, num_attention_heads: int | None, file: Path) -> LogitsModel:
    """Opens what answers the rows of a file: without torch where it is a small one of plain text, else as `open_model`.

    Raises:
        CheckpointError: As `open_model` does.
    """
    lines = _lines_of(file)
    if lines is not None:
        return open_for_texts(model, tokenizer, num_attention_heads, lines)
    with quiet_libraries():
        return open_model(model, tokenizer, num_attention_heads)


def _lines_of(file: Path) -> list[str] | None:
    """Returns the lines of a file, of which the ASCII characters are right; None where that cannot be known or is much.

    What a model is opened for needs their number, and whether special tokens stand in them, which are ASCII.
    """
    if file.suffix.lower() not in _PLAIN or file.stat().st_size > _SMALL:
        return None
    content = file.read_bytes()
    return None if b"\0" in content else content.decode("latin-1").split("\n")  # NULs: UTF-16 and the like


def hierarchy_in(task: Task, fine_label_column: str | None) -> Hierarchy | None:
    """Returns which coarse label each label of a model stands under; None where its labels have one level.

    Raises:
        DataError: A column of fine labels was named, and the model's labels have one level.
    """
    if task.levels is not None:
        return task.levels.hierarchy
    if fine_label_column is not None:
        raise DataError(
            "두 단계로 학습한 모델이 아니므로 `fine_label_column`을 쓸 수 없습니다. 레이블 열은 `label_column`으로 "
            "지정하세요.",
            "The model's labels have one level: `fine_label_column` means nothing to it. Name the column of the labels "
            "with `label_column`.",
            mend={"fine_label_column": None, "label_column": fine_label_column},
        )
    return None


def load_model(model: str, tokenizer: str | None, num_attention_heads: int | None) -> Predictor:
    """Loads what a command was given as its model; see `inference.loading.load_checkpoint`.

    Raises:
        CheckpointError: There is none, or options for the notebook's files were typed with another model.
    """
    from ..inference.loading import load_checkpoint

    check_model("model", model)
    check_notebook_options(model, tokenizer, num_attention_heads)
    with names_nearest("model", model):
        return load_checkpoint(model, tokenizer, num_attention_heads)


def check_model(name: str, model: str | os.PathLike[str]) -> None:
    """Raises `CheckpointError` where `model` is no file, model's folder, "default" or what could be a Hub id.

    Args:
        name: The argument it was given as.
        model: What was given.
    """
    from ..export import is_export
    from ..inference.ensemble import is_ensemble

    path, shown = Path(model), os.fspath(model)
    if shown == DEFAULT_MODEL_NAME or os.path.isfile(shown):
        return
    if not os.path.isdir(shown):
        _check_name(name, shown)
        return
    refuse_search(path)
    if not (_is_model(path) or is_ensemble(path) or is_export(path)):
        raise _no_model(name, path)


def _no_model(name: str, path: Path) -> CheckpointError:
    """Returns the error of a folder that is no model's, with the models that lie in it."""
    from ..runs.layout import BEST, fold_folders

    folds = fold_folders(path)
    inside = list(filter(_is_model, ((path / BEST), *folds))) or list(filter(_is_model, sorted(path.iterdir())))
    korean = "실행 폴더입니다. 그 안의 모델을 쓰세요" if folds else "모델 폴더가 아닙니다. config.json이 없습니다"
    english = "is a run's folder: name a model in it" if folds else "is no model's folder: it has no config.json"
    found = ", ".join(entry.name for entry in inside[:5]) or "-"
    return CheckpointError(
        f"{path}: {korean}(있는 모델: {found}).",
        f"{path} {english} (models in it: {found}).",
        mend={name: str(inside[0])} if inside else None,
    )


def refuse_search(folder: Path) -> None:
    """Raises `RunError` where `folder` is that of a search, in which there are no models: what it found trains them."""
    from ..search.layout import COMMAND_FILE, is_search

    if not is_search(folder):
        return
    command = folder / COMMAND_FILE
    if not command.is_file():
        raise RunError(
            f"{folder}은(는) 끝나지 않은 탐색의 폴더라 모델이 없습니다. 같은 search 명령으로 끝낸 뒤 {COMMAND_FILE}로 "
            "학습하세요.",
            f"{folder} is the folder of a search that is not finished, and has no models: type the same search "
            f"command again, and train with the {COMMAND_FILE} that it leaves.",
        )
    raise RunError(
        f"{folder}은(는) 탐색 폴더라 모델이 없습니다. {COMMAND_FILE}가 찾은 인자로 학습합니다. 그 결과 폴더를 쓰세요.",
        f"{folder} is the folder of a search, and has no models. {COMMAND_FILE} trains with the arguments that were "
        "found: name the run's folder that it leaves.",
        shlex.join(["sh", str(command)]),
    )


def check_start(name: str, model: str) -> None:
    """Raises `CheckpointError` where a training cannot start from `model`; see `check_model`."""
    check_model(name, model)
    if os.path.isfile(model):
        raise CheckpointError(
            f"{model}: 학습은 모델 폴더, Hub 이름이나 'default'에서 시작하는데 파일입니다. 노트북의 .pt/.tar는 먼저 "
            "convert하세요.",
            f"{model} is a file; a training starts from a model's folder, a Hub id or 'default'. Convert the "
            "notebook's .pt and .tar files first.",
            mend={name: DEFAULT_MODEL_NAME},
        )


def _is_model(folder: Path) -> bool:
    return (folder / "config.json").is_file()


def check_tested(name: str, run: Path) -> None:
    """Raises `CheckpointError` where there is nothing to evaluate: no run, model's folder or file."""
    from ..export import is_export
    from ..runs.layout import fold_folders

    if is_export(run):
        raise CheckpointError(
            f"{run}은(는) export로 만든 폴더입니다. 내보내기 전의 모델을 평가하세요. 라벨이 있는 파일을 predict하면 이 "
            "폴더의 점수가 나옵니다.",
            f"{run} is a folder that export wrote: test the model it was made of. Scores of this one are those that "
            "predict gives for a file with labels.",
        )
    if run.is_file() or fold_folders(run):
        return
    if run.is_dir():
        check_model(name, run)
    elif run != Path(DEFAULT_MODEL_NAME) and not is_only_on_hub(run):
        check_there(name, run)


def check_run(name: str, run: Path) -> None:
    """Raises an error with the run's name where a fold of it was given, or one of a name that is not there.

    What else is no run the command finds out by itself.
    """
    from ..runs.layout import RUN_FILE

    if (run / RUN_FILE).is_file():
        return
    check_there(name, run)
    refuse_search(run)
    if (run.absolute().parent / RUN_FILE).is_file():
        near = str(run.parent)
        raise RunError(
            f"실행 폴더가 아닙니다: {run} — {RUN_FILE}이 없습니다. 혹시 {near}인가요?",
            f"{run} is no run's folder: there is no {RUN_FILE} in it. Did you mean {near}?",
            mend={name: near},
        )


def check_notebook_options(
    model: str | os.PathLike[str], tokenizer: str | None, num_attention_heads: int | None
) -> None:
    """Raises `CheckpointError` where options for the notebook's files were typed with something else."""
    typed: dict[str, Setting] = {"tokenizer": tokenizer, "num_attention_heads": num_attention_heads}
    unused: dict[str, Setting] = {name: None for name, value in typed.items() if value is not None}
    if unused and not os.path.isfile(model):
        names = ", ".join(f"`{name}`" for name in unused)
        raise CheckpointError(
            f"{names}은(는) 노트북의 .pt/.tar 파일에만 쓰입니다. {model}에는 제 토크나이저와 설정이 있으니 빼세요.",
            f"Only the notebook's .pt and .tar files take {names}; {model} has a tokenizer and settings of its own: "
            "leave that out.",
            mend=unused,
        )


def _check_name(name: str, model: str) -> None:
    """Raises `CheckpointError` where there is no such folder and the name is none the Hub could have."""
    if is_repo_id(model):
        return  # the Hub knows; see `names_nearest`
    near = _nearest_model(model)
    raise CheckpointError(
        f"{model}: 그런 모델이 없습니다."
        + (f" 혹시 {near}인가요?" if near else "")
        + " 모델은 'default', 폴더, Hub 이름(사용자/이름), .pt/.tar 파일 중 하나입니다.",
        f"{model}: there is no such model."
        + (f" Did you mean {near}?" if near else "")
        + " Expected 'default', a folder, a Hub id (user/name), or a .pt or .tar file.",
        mend={name: near or DEFAULT_MODEL_NAME},
    )


@contextmanager
def names_nearest(name: str, model: str) -> Iterator[None]:
    """Adds to the error of a model that neither this machine nor the Hub has the name that is most like it.

    Args:
        name: The argument it was given as.
        model: What was given.
    """
    try:
        yield
    except (CheckpointError, HubError, TokenizerError) as error:
        near = None if error.mend or os.path.exists(model) or model == DEFAULT_MODEL_NAME else _nearest_model(model)
        if near is None:
            raise
        korean, english = f"{error.korean} 혹시 {near}인가요?", f"{error.english} Did you mean {near}?"
        raise type(error)(korean, english, mend={name: near}) from error


def _nearest_model(model: str) -> str | None:
    """Returns "default", or the model's folder, whose name is most like `model`."""
    if difflib.get_close_matches(model, [DEFAULT_MODEL_NAME], n=1, cutoff=0.75):
        return DEFAULT_MODEL_NAME
    near = nearest_path(model)
    return near if near is not None and os.path.isfile(os.path.join(near, "config.json")) else None
