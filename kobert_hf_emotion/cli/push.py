"""`kobert-emotion push`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import HubError
from . import options
from .inputs import check_there
from .models import refuse_search
from .output import quiet_libraries, say, say_json, say_next


def push(
    folder: Annotated[Path, typer.Argument(help="실행 폴더, 겹 폴더 또는 모델 폴더 (run, fold or model folder)")],
    repo_id: Annotated[str, typer.Argument(help="Hub 저장소, 사용자/이름 (Hub repository, user/name)")],
    private: Annotated[
        bool, typer.Option("--private", help="새로 만드는 저장소를 비공개로 (a repository that is made is private)")
    ] = False,
    all_folds: Annotated[
        bool, typer.Option("--all-folds", help="모든 겹도 fold_1/ … 로 올림 (every fold as well, as fold_1/ …)")
    ] = False,
    revision: Annotated[
        str | None, typer.Option("--revision", help="올릴 브랜치, 없으면 만듦 (branch; made where it is missing)")
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(
            "--token-file",
            help="토큰이 든 파일; 없으면 hf auth login 또는 HF_TOKEN의 토큰 (file with the token; by default that of "
            "hf auth login or HF_TOKEN)",
        ),
    ] = None,
    message: Annotated[str | None, typer.Option("--message", help="커밋 제목 (title of the commit)")] = None,
    json: options.Json = False,
) -> None:
    """예시: kobert-emotion push runs/a user/name

    실행의 가장 좋은 모델과 보고서를 Hugging Face Hub에 한 커밋으로 올립니다. 학습 문장이 든 파일은 올리지 않습니다.
    Pushes the best model of a run and its reports to the Hub in one commit; files with training texts stay here.
    """  # noqa: D415
    from ..runs.push import push_run

    check_there("folder", folder)
    refuse_search(folder)
    check_there("token_file", token_file)
    token = None if token_file is None else _token(token_file)
    with quiet_libraries():
        commit = push_run(folder, repo_id, private, revision, token, message, all_folds)
    if json:
        say_json({"repo_id": repo_id, "commit": commit.oid, "url": commit.commit_url})
        return
    say(f"{folder} → {commit.commit_url}")
    say_next(f'kobert-emotion predict {repo_id} "오늘 정말 행복했어"')


def _token(path: Path) -> str:
    """Returns the token in a file.

    Raises:
        HubError: The file holds something else.
    """
    try:
        token = path.read_text(encoding="utf-8-sig").strip()
    except UnicodeDecodeError:
        token = ""
    if not token.isascii() or len(token.split()) != 1:
        raise HubError(
            f"`token_file` {path}에 토큰 한 줄이 있어야 합니다. 파일을 고치거나, hf auth login을 했다면 빼세요.",
            f"Expected a token alone in the `token_file` {path}. Correct the file or, after hf auth login, leave it "
            "out.",
            mend={"token_file": None},
        )
    return token
