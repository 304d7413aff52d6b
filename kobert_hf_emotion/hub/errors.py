"""What went wrong between this machine and the Hugging Face Hub, said so that it can be mended."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from huggingface_hub import constants
from huggingface_hub.errors import (  # type: ignore[attr-defined]  # HTTPError: httpx's or httpx2's
    HfHubHTTPError,
    HTTPError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from ..errors import HubError, Setting

FAILED_CALLS: tuple[type[Exception], ...] = (HTTPError, OSError, RuntimeError)
"""What huggingface_hub raises where a call does not come through; not all of it is the Hub's fault."""
_PLACE_OPTIONS = ("cache_dir", "force_download", "local_files_only", "revision", "subfolder", "token")


def place_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Returns those of the options of a `from_pretrained` that tell where on the Hub something is, and who asks."""
    return {name: options[name] for name in _PLACE_OPTIONS if name in options}


def hub_error(
    error: BaseException, source: str | os.PathLike[str], retry: Mapping[str, Setting] | None = None
) -> HubError | None:
    """Returns the error to raise for an answer of the Hub, None where `error` did not come from it.

    Args:
        error: What was caught; its causes are looked at as well.
        source: The Hub id.
        retry: Arguments of the call that failed, for the command line to show it once more; None where something was
            to be loaded.
    """
    chain = list(_chain(error))
    if any(isinstance(cause, OfflineModeIsEnabled) for cause in chain):
        return None
    for cause in chain:
        if isinstance(cause, HfHubHTTPError):
            return _refusal(cause, os.fspath(source), retry)
    for cause in chain:
        if is_broken_connection(cause):
            return _no_connection(cause, os.fspath(source), retry)
    return None


def is_broken_connection(error: BaseException) -> bool:
    """Whether trying again may help: the connection broke, or the Hub answered that it is busy or out of order."""
    if isinstance(error, HfHubHTTPError):
        return _status(error) == 429 or _status(error) >= 500
    return isinstance(error, HTTPError | ConnectionError | TimeoutError)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _status(error: HfHubHTTPError) -> int:
    response = getattr(error, "response", None)
    return int(getattr(response, "status_code", 0) or 0)


def _refusal(error: HfHubHTTPError, source: str, retry: Mapping[str, Setting] | None) -> HubError:
    if isinstance(error, RevisionNotFoundError):
        return HubError(
            f"Hub 저장소 {source}에 그런 리비전(브랜치, 태그, 커밋)이 없습니다.",
            f"The Hub repository {source} has no such revision (branch, tag or commit).",
            f"python -c \"from huggingface_hub import list_repo_refs; print(list_repo_refs('{source}'))\"",
        )
    if isinstance(error, RepositoryNotFoundError):
        no_folder = _no_folder(source) if retry is None else ("", "")
        return HubError(
            f"Hub 저장소 {source}가 없거나, 비공개인데 토큰이 없거나 그 토큰으로는 볼 수 없습니다. "
            f"이름을 확인하고 로그인하거나 HF_TOKEN을 설정하세요.{no_folder[0]}",
            f"There is no Hub repository {source}, or it is private and there is no token that may see it. Check the "
            f"name, and log in or set HF_TOKEN.{no_folder[1]}",
            "hf auth login",
        )
    if _status(error) in (401, 403):
        return HubError(
            f"Hub가 {source}에 대한 토큰을 거절했습니다({_status(error)}). 토큰이 만료되었거나 쓰기 권한이 없습니다: "
            "https://huggingface.co/settings/tokens",
            f"The Hub refused the token for {source} ({_status(error)}): it is no longer valid, or has no right to "
            "write. Make one that has: https://huggingface.co/settings/tokens",
            "hf auth login",
        )
    if is_broken_connection(error):
        return _no_connection(error, source, retry)
    return HubError(
        f"Hub가 {source}에 대한 요청을 받아들이지 않았습니다({_status(error)}).",
        f"The Hub did not accept the request for {source} ({_status(error)}): {error}",
        mend=retry,
    )


def _no_connection(error: BaseException, source: str, retry: Mapping[str, Setting] | None) -> HubError:
    cause = str(error).strip().split("\n", maxsplit=1)[0] or type(error).__name__
    korean, english = _no_folder(source) if retry is None else ("", "")
    return HubError(
        f"Hub({constants.ENDPOINT})와의 연결이 끊겼거나 응답이 없습니다: {source}. 잠시 뒤에 다시 시도하세요.{korean}",
        f"The connection to the Hub ({constants.ENDPOINT}) broke, or there was no answer, for {source}: {cause}. "
        f"Try again in a while.{english}",
        None if retry else f"curl -I {constants.ENDPOINT}",
        mend=retry,
    )


def _no_folder(source: str) -> tuple[str, str]:
    """Returns, in Korean and English, that a folder of that name is not here, for who meant one and mistyped it."""
    if os.path.exists(source):
        return "", ""
    return f" {source} 폴더도 이 컴퓨터에 없습니다.", f" There is no folder {source} here either."
