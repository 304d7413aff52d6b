"""Whether words on the command line are texts or the names of files: told by what is there, not by a suffix."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from ..assets import DEFAULT_MODEL_NAME
from ..errors import DataError, Setting
from ..utils.argument_checks import exists, nearest_path
from ..utils.file_suffixes import FILE_SUFFIXES
from ..utils.files import free_path
from .typed import typed

if TYPE_CHECKING:
    import typer

STDIN = "-"
_ROOTED = re.compile(r"(~?[/\\]|\.\.?[/\\]|~$|[A-Za-z]:[/\\])")


def file_or_texts(inputs: Sequence[str], as_text: bool, encoding: str | None) -> Path | list[str]:
    """Returns the file that is named, or the texts that are given.

    Args:
        inputs: Words of the command line; `STDIN` alone stands for a text a line on the standard input.
        as_text: Whether the user said that they are texts, whatever files there are.
        encoding: Of the standard input; found out if None.

    Raises:
        DataError: A word is the name of a folder, or looks like that of a file that is not there; or there are several
            files, or files and texts.
    """
    if as_text:
        return list(inputs)
    if list(inputs) == [STDIN]:
        return _lines_of_stdin(encoding)
    files = [word for word in inputs if exists(word)]
    for word in inputs:
        if word not in files and looks_like_path(word):
            _refuse_missing(word)
    if not files:
        return list(inputs)
    if len(inputs) > 1:
        _refuse_several(inputs, files)
    path = Path(os.path.expanduser(files[0]))
    if path.is_dir():
        _refuse_folder(path)
    return path


def _refuse_several(inputs: Sequence[str], files: Sequence[str]) -> NoReturn:
    if len(files) < len(inputs):
        text = next(word for word in inputs if word not in files)
        raise DataError(
            f"파일({files[0]})과 문장({text!r})을 함께 줄 수 없습니다. 따로 예측하세요. 모두 문장이면 `as_text`를 "
            "쓰세요.",
            f"Expected a file or texts, found both: the file {files[0]} and the text {text!r}. Predict them one after "
            "the other, or, where all are texts, say so with `as_text`.",
            mend={"inputs": [files[0]]},
        )
    raise DataError(
        f"파일은 한 번에 하나씩 예측하는데 {len(files)}개입니다({', '.join(files[:3])}). 파일마다 명령을 "
        "실행하거나, 모두 문장이면 `as_text`를 쓰세요.",
        f"Expected one file at a time, found {len(files)} ({', '.join(files[:3])}). Run the command once for each "
        "or, where these are texts, say so with `as_text`.",
        mend={"inputs": [files[0]]},
    )


def check_there(name: str, path: Path | None) -> None:
    """Raises `DataError` naming the nearest file where the one of the argument `name` is not there."""
    if path is None or path.exists():
        return
    near = nearest_path(path)
    korean, english = _did_you_mean(near)
    raise DataError(
        f"{path}: 파일이나 폴더가 없습니다.{korean}",
        f"{path}: there is no such file or folder.{english}",
        mend=None if near is None else {name: near},
    )


def check_data_file(name: str, path: Path | None) -> None:
    """Raises `DataError` where the argument `name` is not there, or is a folder, naming what it may have meant."""
    check_there(name, path)
    if path is None or not path.is_dir():
        return
    inside = _data_files(path)
    raise DataError(
        f"{path}: 파일이 아니라 폴더입니다. 그 안의 데이터 파일을 지정하세요(있는 파일: {_listed(inside)}).",
        f"{path}: this is a folder. Name the data file in it (found: {_listed(inside)}).",
        mend={name: inside[0]} if inside else None,
    )


def refuse_unused(context: typer.Context, used: Collection[str], korean: str, english: str) -> None:
    """Raises `DataError` where options were typed that do nothing in this place.

    Args:
        context: Of the command.
        used: The parameters that do something.
        korean: Where the others do nothing.
        english: The same in English.
    """
    unused = [name for name in typed(context) if name not in used and name not in ("lang", "quiet")]
    if unused:
        names = ", ".join(f"`{name}`" for name in unused)
        raise DataError(
            f"{korean} {names}은(는) 쓰이지 않습니다. 빼세요.",
            f"{names} would do nothing {english}: leave it out.",
            mend=dict.fromkeys(unused),
        )


def check_order(model: str, inputs: Sequence[str]) -> None:
    """Raises `DataError` where the first word is a data file, or a text, and no model."""
    if os.path.isfile(model) and model.lower().endswith(FILE_SUFFIXES):
        rest = [word for word in inputs if word != DEFAULT_MODEL_NAME and not os.path.isdir(word)]
        found = next((word for word in inputs if word not in rest), DEFAULT_MODEL_NAME)
        raise DataError(
            f"{model}은(는) 데이터 파일인데 모델 자리에 있습니다. 모델을 먼저 쓰세요.",
            f"{model} is a data file, and stands where the model is expected: name the model first.",
            mend={"model": found, "inputs": [model, *rest]},
        )
    if not exists(model) and re.search(r"\s|[가-힣]", model) and not re.search(r"[/\\]", model):
        raise DataError(
            f"{model!r}은(는) 문장인데 모델 자리에 있습니다. 모델을 먼저 쓰세요.",
            f"{model!r} looks like a text, and stands where the model is expected: name the model first.",
            mend={"model": DEFAULT_MODEL_NAME, "inputs": [model, *(word for word in inputs if word != "default")]},
        )


def check_swapped(name: str, model: object, argument: str, files: Path | Sequence[Path]) -> None:
    """Raises `DataError` where a data file stands in the place of the model, and a folder in that of the file.

    Args:
        name: The parameter of the model.
        model: What was given as it.
        argument: The parameter of the file, or files.
        files: What was given as these.
    """
    given, paths = str(model), [files] if isinstance(files, Path) else list(files)
    if not (os.path.isfile(given) and given.lower().endswith(FILE_SUFFIXES)):
        return
    found = next((path for path in paths if path.is_dir() or str(path) == DEFAULT_MODEL_NAME), None)
    if found is not None:
        rest = [str(path) for path in paths if path != found]
        raise DataError(
            f"{given}은(는) 데이터 파일인데 모델 자리에 있습니다. 모델을 먼저 쓰세요.",
            f"{given} is a data file, and stands where the model is expected: name the model first.",
            mend={name: str(found), argument: given if isinstance(files, Path) else [given, *rest]},
        )


def check_output(output: Path | None, source: object) -> None:
    """Raises `DataError` where predictions would go over what was read, into a folder, or under a wrong suffix."""
    if output is None:
        return
    if output.is_dir():
        raise DataError(
            f"`output`에는 쓸 파일이 필요한데 {output}은(는) 폴더입니다.",
            f"Expected a file to write as `output`, found the folder {output}.",
            mend={"output": str(output / "predictions.csv")},
        )
    if isinstance(source, Path) and output.exists() and output.samefile(source):
        raise DataError(
            f"`output`이 읽을 파일({source})과 같습니다. 읽은 내용이 사라지니 다른 이름을 쓰세요.",
            f"`output` is the file that is read, {source}, whose content would be lost: choose another name.",
            mend={"output": str(output.with_name(f"{output.stem}_predictions.csv"))},
        )
    if output.suffix.lower() != ".csv" and output.name.lower().endswith(FILE_SUFFIXES):
        raise DataError(
            f"예측은 CSV로 쓰는데 `output`의 이름이 {output.suffix}로 끝납니다. .csv로 바꾸세요.",
            f"Predictions are written as CSV, and `output` ends in {output.suffix}: use .csv.",
            mend={"output": str(output.with_suffix(".csv"))},
        )


def check_map(output: Path) -> None:
    """Raises `DataError` where a map of labels would go into a folder, over a file, or under another suffix."""
    if output.is_dir() or output.suffix.lower() != ".csv" or output.exists():
        better = output / "label_map.csv" if output.is_dir() else output.with_suffix(".csv")
        raise DataError(
            f"`write_label_map`에는 새 .csv 파일이 필요한데 {output}입니다. 있는 표는 덮어쓰지 않습니다.",
            f"Expected a new .csv file as `write_label_map`, found {output}. A map that is there is not overwritten.",
            mend={"write_label_map": str(free_path(better) if better.exists() else better)},
        )


def check_page(output: Path | None, name: str) -> None:
    """Raises `DataError` where a page would be written into a folder, or under a suffix no browser opens.

    Args:
        output: The file to write.
        name: What it is called in a folder.
    """
    if output is not None and (output.is_dir() or output.suffix.lower() not in (".html", ".htm")):
        raise DataError(
            f"`output`에는 .html 파일이 필요한데 {output}입니다.",
            f"Expected an .html file as `output`, found {output}.",
            mend={"output": str(output / name if output.is_dir() else output.with_suffix(".html"))},
        )


def looks_like_path(word: str) -> bool:
    """Whether a word that is no file's name looks like one: by its suffix, its root, or separators and no spaces."""
    if _is_surely_path(word):
        return True
    if not re.search(r"\s", word):
        return bool(re.search(r"[/\\]", word)) or _is_nearly_file(word)
    return "/" in word and os.path.isdir(word.split("/", maxsplit=1)[0])


def _is_surely_path(word: str) -> bool:
    return word.lower().endswith(FILE_SUFFIXES) or _ROOTED.match(word) is not None


def _is_nearly_file(word: str) -> bool:
    """Whether there is a data file that is called so but for its suffix, or almost so, suffix included."""
    near = nearest_path(word)
    if near is None or not near.lower().endswith(FILE_SUFFIXES):
        return False
    return Path(near).stem == word or "." in word


def _refuse_missing(word: str) -> NoReturn:
    near = nearest_path(word)
    mend: dict[str, Setting] = {} if _is_surely_path(word) else {"as_text": True}
    if near is not None:
        mend = {"inputs": [near]}  # one file at a time, and no texts beside it
    korean, english = _did_you_mean(near)
    raise DataError(
        f"{word}: 파일 이름 같은데 그런 파일이 없습니다.{korean} 문장이면 `as_text`를 쓰세요.",
        f"{word}: this looks like the name of a file, and there is none.{english} If it is a text, say so with "
        "`as_text`.",
        mend=mend,
    )


def _did_you_mean(near: str | None) -> tuple[str, str]:
    if near is None:
        return " 경로를 확인하세요.", " Check the path."
    return f" 혹시 {near}인가요?", f" Did you mean {near}?"


def _refuse_folder(path: Path) -> NoReturn:
    inside = _data_files(path)
    raise DataError(
        f"{path}: 파일이 아니라 폴더입니다. 그 안의 데이터 파일을 지정하거나(있는 파일: {_listed(inside)}), 문장이면 "
        "`as_text`를 쓰세요.",
        f"{path}: this is a folder. Name the data file in it (found: {_listed(inside)}), or, if it is a text, say so "
        "with `as_text`.",
        mend={"inputs": inside[:1]} if inside else None,
    )


def _data_files(folder: Path) -> list[str]:
    """Returns the files in a folder that may hold data; those of a model's folder do not."""
    if (folder / "config.json").is_file():
        return []
    return sorted(str(file) for file in folder.iterdir() if file.name.lower().endswith(FILE_SUFFIXES))


def _listed(files: Sequence[str]) -> str:
    return ", ".join(files[:3]) + (", …" if len(files) > 3 else "") or "-"


def _lines_of_stdin(encoding: str | None) -> list[str]:
    from ..data.text_encoding import decode

    text = decode(sys.stdin.buffer.read(), "stdin", encoding).text
    texts = [line for line in map(str.strip, text.splitlines()) if line]
    if not texts:
        raise DataError(
            "표준 입력에 문장이 없습니다. 한 줄에 한 문장씩 넣으세요.",
            "There is no text on the standard input; expected one a line.",
        )
    return texts
