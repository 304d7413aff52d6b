"""`kobert-emotion serve`."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from . import options
from .groups import Long, takes_groups
from .long_texts import long_texts
from .models import open_model
from .output import quiet_libraries, say
from .turns import note_served_lines


@takes_groups
def serve(
    call: typer.Context,
    model: Annotated[
        str, typer.Argument(help="'default', 폴더(export 포함), Hub 이름 또는 .pt/.tar 파일 (model or exported folder)")
    ],
    host: Annotated[
        str, typer.Option("--host", help="들을 주소; 0.0.0.0이면 밖에서도 (address; 0.0.0.0 for other machines too)")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="포트; 0이면 빈 포트 (port; 0 for a free one)")
    ] = 8000,
    max_batch_size: Annotated[
        int, typer.Option("--max-batch-size", min=1, help="함께 예측하는 글 수 (texts predicted together)")
    ] = 64,
    max_wait_ms: Annotated[
        float,
        typer.Option(
            "--max-wait-ms",
            min=0,
            help="요청이 몰릴 때 배치가 기다리는 밀리초; 혼자 온 요청은 기다리지 않음 (milliseconds that a batch waits "
            "for others while requests come together; one that comes alone never waits)",
        ),
    ] = 5.0,
    max_texts: Annotated[
        int, typer.Option("--max-texts", min=1, help="요청 하나의 글 수; 넘으면 413 (texts a request; more: 413)")
    ] = 1_000,
    max_bytes: Annotated[
        int, typer.Option("--max-bytes", min=1, help="요청 본문의 바이트; 넘으면 413 (bytes of a body; more: 413)")
    ] = 4_000_000,
    max_queue: Annotated[
        int, typer.Option("--max-queue", min=1, help="기다리는 글 수; 넘으면 429 (texts that wait; more: 429)")
    ] = 4_000,
    api_key_file: Annotated[
        Path | None,
        typer.Option(
            "--api-key-file",
            help="API 키가 적힌 파일; 없으면 환경 변수 KOBERT_EMOTION_API_KEY, 둘 다 없으면 누구나 (file with the API "
            "key, or else that variable; without both anyone may ask)",
        ),
    ] = None,
    cors_origin: Annotated[
        list[str] | None,
        typer.Option(
            "--cors-origin",
            help="다른 사이트의 페이지가 물을 수 있게 할 출처, 예: https://example.com; 여러 번 쓸 수 있음 (origins "
            "whose pages may ask; none by default)",
        ),
    ] = None,
    frame_origin: Annotated[
        list[str] | None,
        typer.Option(
            "--frame-origin",
            help="페이지를 틀(iframe) 안에 보일 수 있는 출처, 예: https://huggingface.co; 여러 번 쓸 수 있음 (origins "
            "whose pages may show this one in a frame; none by default)",
        ),
    ] = None,
    log_texts: Annotated[
        bool, typer.Option("--log-texts", help="글과 감정을 로그에 남김 (log texts and labels)")
    ] = False,
    *,
    long: Long,
    tokenizer: options.Tokenizer = None,
    num_attention_heads: options.Heads = None,
) -> None:
    """예시: kobert-emotion serve default --port 8000

    모델을 HTTP로 내놓습니다: POST /predict, POST /(Hugging Face 추론 API), 페이지 GET /, GET /health, /metrics, /docs.
    함께 온 요청은 한 배치로 예측합니다. SIGTERM을 받으면 받은 요청에 모두 답하고 0으로 끝납니다.
    Serves a model over HTTP: POST /predict, POST / (Hugging Face's inference API), a page at GET /, GET /health,
    /metrics and /docs. Requests that come together are predicted in one batch. At SIGTERM all that was taken is
    answered, and the exit code is 0.
    """  # noqa: D415
    from ..serving.memory import bound_caches
    from ..serving.options import ServingOptions, read_api_key, require_serving

    require_serving()
    pieces = long_texts(call, long)
    limits = ServingOptions(
        max_batch_size=max_batch_size,
        max_wait_ms=max_wait_ms,
        max_texts=max_texts,
        max_bytes=max_bytes,
        max_queue=max_queue,
        api_key=read_api_key(api_key_file),
        cors_origins=tuple(cors_origin or ()),
        frame_origins=tuple(frame_origin or ()),
        log_texts=log_texts,
        long=pieces,
    )
    bound_caches()
    from ..serving.server import serve as run

    with quiet_libraries():
        classifier = open_model(model, tokenizer, num_attention_heads)
    note_served_lines(classifier)
    logging.getLogger("uvicorn").setLevel(logging.ERROR)  # it warns of what any client may send
    run(classifier, host, port, limits, on_listening=say)
