"""The application: endpoints around a queue around a model."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import FileResponse
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.types import Receive

from .. import __version__
from ..assets import PAGE
from ..errors import KoBERTEmotionError
from ..tasks.task import Prediction
from ..tokenization.guard import UnknownTexts
from ..tokenization.long_texts import LongTexts
from .batching import Batcher, QueueFull, Stopped
from .direct import Direct, Endpoint
from .gate import Gate
from .long_texts import Divided, divided
from .memory import give_back
from .metrics import CONTENT_TYPE, Measured, Metrics
from .options import ServingOptions
from .predictor import Answer, Failure, Line, Predictor
from .problems import Refusal, invalid, refused, too_busy, too_many_texts
from .schemas import ClassificationRequest, Error, Health, Labels, LabelScore, PredictRequest, PredictResponse

if TYPE_CHECKING:
    from ..inference.logits_model import LogitsModel

logger = logging.getLogger(__name__)

_DESCRIPTION = """한국어 글의 감정을 예측합니다. `POST /predict`는 이 패키지의 형식,
`POST /`는 Hugging Face 추론 API의 형식입니다.

Predicts the emotion of Korean texts. `POST /predict` has this package's shape, `POST /` that of Hugging Face's
inference API."""
_REFUSALS: dict[int | str, dict[str, Any]] = {
    401: {"model": Error, "description": "API 키가 없거나 다름 (the API key is missing or another)"},
    408: {"model": Error, "description": "본문이 늦음 (the body came too slowly)"},
    413: {"model": Error, "description": "글이나 바이트가 너무 많음 (too many texts or bytes)"},
    422: {"model": Error, "description": "잘못된 필드 (a field that is wrong)"},
    429: {
        "model": Error,
        "description": "기다리는 글이 많음 (too many texts wait; see Retry-After)",
    },
    500: {"model": Error, "description": "예측하지 못함 (could not be predicted)"},
}
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors "
)
SECONDS_BETWEEN_GIVING_BACK = 5
"""Between two times that memory in which nothing lies is given back."""
_HUNG_UP = 499
"""What nginx calls a request whose client did not wait for the answer."""


class Service:
    """A model behind a queue, its figures, and whether it has answered."""

    def __init__(self, model: LogitsModel, options: ServingOptions) -> None:
        self.options = options
        self.predictor = Predictor(model)
        self.metrics = Metrics(lambda: self.batcher.waiting)
        self.batcher = Batcher(self.predictor, options, self.metrics.batches.observe)
        self.ready = False
        self.error: str | None = None

    @asynccontextmanager
    async def running(self, _app: FastAPI) -> AsyncIterator[None]:
        """Answers requests, once the model has answered one of its own, until the block ends."""
        tasks = [asyncio.create_task(self._warm_up()), asyncio.create_task(self._stay_small())]
        try:
            yield
        finally:
            try:
                for task in tasks:
                    task.cancel()
                for task in tasks:
                    with suppress(asyncio.CancelledError):
                        await task
            finally:  # a task that failed is told of once nobody waits for an answer any more
                await self.batcher.stop()

    async def _warm_up(self) -> None:
        try:
            await self.batcher.call(self.predictor.warm_up)
        except Exception as error:
            self.error = str(error)
            logger.exception("모델이 답하지 못합니다 (the model cannot answer)")
            await self.batcher.stop()
        else:
            self.ready = True
            self.batcher.start()

    async def _stay_small(self) -> None:
        while True:
            await asyncio.sleep(SECONDS_BETWEEN_GIVING_BACK)
            await asyncio.to_thread(give_back)

    async def predict(
        self,
        receive: Receive,
        texts: Sequence[str],
        contexts: Sequence[Sequence[str]] | None = None,
        long: LongTexts | None = None,
    ) -> list[Answer | Failure] | None:
        """Returns an answer for each text, None where the client has hung up.

        Args:
            receive: Ends where the client hangs up; the body has been read.
            texts: Its texts.
            contexts: The turns before each, of a model that was trained with them.
            long: How texts longer than the model reads are answered; None cuts them.

        Raises:
            Refusal: There are too many texts, in the request or in the queue, or the model cannot answer.
        """
        if len(texts) > self.options.max_texts:
            raise too_many_texts(len(texts), self.options.max_texts)
        items: Sequence[str | Line] = texts if contexts is None else self._lines(texts, contexts)
        whole = None
        if long is not None:
            whole = await asyncio.to_thread(self._divide, items, long)
            items = whole.items
        try:
            answers = await self._unless_hung_up(receive, items)
        except QueueFull as full:
            raise too_busy(full.retry_after) from None
        except Stopped:
            raise Refusal(503, "모델이 답하지 못합니다.", "The model cannot answer.") from None
        if answers is not None and whole is not None and long is not None:
            answers = whole.put_together(self.predictor, answers, long)
        if answers is not None:
            self._count(texts, answers)
        return answers

    async def _unless_hung_up(self, receive: Receive, items: Sequence[str | Line]) -> list[Answer | Failure] | None:
        """Returns the answers of the queue, or None, with the rest given up, where the client hangs up before."""
        job = self.batcher.put(items)
        if job.done.done():
            return job.done.result()
        watching = asyncio.ensure_future(receive())  # the body has been read: what comes next is the end

        def leave(_: object) -> None:
            self.batcher.leave(job)

        watching.add_done_callback(leave)
        try:
            return await job.done
        finally:
            watching.remove_done_callback(leave)
            watching.cancel()
            self.batcher.leave(job)

    def _lines(self, texts: Sequence[str], contexts: Sequence[Sequence[str]]) -> list[Line]:
        """Returns texts with the turns before them, of which the model is given as many as it was trained with."""
        turns = self.predictor.context_turns
        if not turns:
            raise Refusal(
                422,
                "이 모델은 앞말 없이 학습했습니다. contexts를 빼세요.",
                "This model was trained without the turns before a line: leave contexts out.",
            )
        if len(contexts) != len(texts):
            raise Refusal(
                422,
                f"contexts({len(contexts):,}개)는 글({len(texts):,}개)마다 하나여야 합니다.",
                f"Expected a list in contexts for each of {len(texts):,} texts, found {len(contexts):,}.",
            )
        return [Line(text, " ".join(before[-turns:])) for text, before in zip(texts, contexts, strict=True)]

    def _divide(self, items: Sequence[str | Line], long: LongTexts) -> Divided:
        try:
            found = divided(self.predictor, items, long)
        except KoBERTEmotionError as error:
            raise Refusal(422, error.korean, error.english) from None
        if len(found.items) > self.options.max_queue:
            raise too_many_texts(len(found.items), self.options.max_queue)
        return found

    async def answer(self, body: PredictRequest, receive: Receive) -> Response:
        """Returns the answer to a request in this package's shape."""
        answers = await self.predict(receive, body.texts, body.contexts, self.long_of(body))
        return Response(status_code=_HUNG_UP) if answers is None else _predictions(answers)

    async def classify(self, body: ClassificationRequest, receive: Receive) -> Response:
        """Returns the answer to a request in the shape of Hugging Face's inference API."""
        texts = [body.inputs] if isinstance(body.inputs, str) else body.inputs
        if body.parameters is not None and body.parameters.function_to_apply and self.predictor.has_several:
            raise Refusal(
                422,
                "여러 레이블 모델의 확률은 sigmoid입니다. function_to_apply를 빼세요.",
                "The probabilities of a multi-label model are those of a sigmoid: leave function_to_apply out.",
            )
        answers = await self.predict(receive, texts, long=self.options.long)
        if answers is None:
            return Response(status_code=_HUNG_UP)
        top_k = body.parameters.top_k if body.parameters is not None else None
        return _ranked(answers, self.predictor.labels, top_k)

    def long_of(self, body: PredictRequest) -> LongTexts | None:
        """Returns how the long texts of a request are answered: as it says, or else as the server was told.

        Raises:
            Refusal: It describes windows, and none are asked for.
        """
        default = self.options.long or LongTexts()
        mode = body.long or (None if self.options.long is None else default.mode)
        if mode is None or mode == "cut":
            if body.stride is not None or body.pool is not None:
                raise Refusal(
                    422,
                    "stride와 pool은 긴 글을 나눌 때(long) 쓰입니다.",
                    "stride and pool are about long texts in pieces: give long as well.",
                )
            return None
        stride = default.stride if body.stride is None else body.stride
        return LongTexts(mode, stride, body.pool or default.pool)

    def _count(self, texts: Sequence[str], answers: Sequence[Answer | Failure]) -> None:
        unknown = sum(isinstance(answer, Answer) and answer.unknown for answer in answers)
        self.metrics.texts.inc(len(answers))
        self.metrics.unknown.inc(unknown)
        self.metrics.failed.inc(sum(isinstance(answer, Failure) for answer in answers))
        if message := UnknownTexts(len(answers), unknown).message():
            logger.warning("%s", message)
        if self.options.log_texts:
            for text, answer in zip(texts, answers, strict=True):
                shown = answer.message if isinstance(answer, Failure) else answer.shown
                logger.info("%s\t%s", shown, json.dumps(text, ensure_ascii=False))


def create_app(model: LogitsModel, options: ServingOptions | None = None) -> FastAPI:
    """Returns an application that predicts with a model, to be served by one process.

    Args:
        model: A `Classifier`, an `EmotionEnsemble` or an `OnnxClassifier`.
        options: How much it takes, and from whom.
    """
    options = options or ServingOptions()
    service = Service(model, options)
    app = FastAPIOffline(
        redoc_url=None,
        title="kobert_hf_emotion",
        version=__version__,
        description=_DESCRIPTION,
        lifespan=service.running,
    )
    _add_predictions(app, service)
    _add_state(app, service)
    _add_page(app, options.frame_origins)
    _add_handlers(app)
    endpoints = {
        "/predict": Endpoint(PredictRequest, service.answer),
        "/": Endpoint(ClassificationRequest, service.classify),
    }
    app.add_middleware(Direct, endpoints=endpoints)
    app.add_middleware(Gate, options=options)
    app.add_middleware(Measured, metrics=service.metrics)
    if options.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(options.cors_origins),
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "X-API-Key"],
            expose_headers=["Retry-After"],
        )
    return app


def _add_predictions(app: FastAPI, service: Service) -> None:
    @app.post(
        "/predict",
        response_model=PredictResponse,
        responses=_REFUSALS,
        summary="감정 예측 (predict emotions)",
    )
    async def predict(body: PredictRequest, request: Request) -> Response:
        """보낸 순서대로 글마다 감정 하나(여러 레이블 모델은 고른 감정들도)와 감정마다의 확률(%)을 답합니다.

        Answers, in the order of the texts, an emotion for each (of a multi-label model also those given) and the
        probability of every emotion in percent.
        """
        return await service.answer(body, request.receive)

    @app.post(
        "/",
        response_model=list[list[LabelScore]],
        responses=_REFUSALS,
        summary="Hugging Face 추론 API (Hugging Face's inference API)",
    )
    async def classify(body: ClassificationRequest, request: Request) -> Response:
        """글마다 감정과 확률을 큰 순서로 답합니다. `InferenceClient(model=주소)`가 쓰는 형식입니다.

        Answers the emotions of each text with their probabilities, the most probable first: the shape that
        `huggingface_hub.InferenceClient` understands.
        """
        return await service.classify(body, request.receive)


def _add_state(app: FastAPI, service: Service) -> None:
    @app.get("/labels", response_model=Labels, summary="감정 이름 (names of the emotions)")
    async def labels() -> Response:
        """모델이 아는 감정을 번호 순서로 답합니다. Answers the model's emotions in the order of their ids."""
        return _json({"labels": service.predictor.labels, **service.predictor.choosing()})

    @app.get(
        "/health",
        response_model=Health,
        responses={503: {"model": Health, "description": "아직 답한 적이 없음 (the model has not answered yet)"}},
        summary="상태 (state)",
    )
    async def health() -> Response:
        """모델이 한 번 답한 뒤에야 200, 그 전에는 503입니다. 200 once the model has answered, 503 before."""
        status = "ready" if service.ready else "starting" if service.error is None else "failed"
        content = {"status": status, "waiting": service.batcher.waiting, "error": service.error}
        return _json(content, 200 if service.ready else 503)

    @app.get("/metrics", summary="Prometheus 수치 (figures for Prometheus)", response_class=Response)
    async def metrics() -> Response:
        """요청, 글, 걸린 시간, 배치 크기, 기다리는 글의 수. Requests, texts, latencies, batch sizes, the queue."""
        return Response(service.metrics.render(), media_type=CONTENT_TYPE)


def _add_page(app: FastAPI, frame_origins: Sequence[str]) -> None:
    """Serves the page at `/` and its files beside it."""
    policy = _PAGE_POLICY + (" ".join(frame_origins) or "'none'")
    for path in sorted(PAGE.iterdir()):
        if path.suffix in (".html", ".css", ".js", ".svg"):
            url = "/" if path.name == "index.html" else f"/{path.name}"
            app.add_api_route(url, _file(path, policy), include_in_schema=False)


def _file(path: Path, policy: str) -> Callable[[], Awaitable[Response]]:
    async def answer() -> Response:
        return FileResponse(path, headers={"Content-Security-Policy": policy, "Cache-Control": "no-cache"})

    return answer


def _add_handlers(app: FastAPI) -> None:
    @app.exception_handler(Refusal)
    async def refuse(_request: Request, refusal: Refusal) -> Response:
        return refusal.response

    @app.exception_handler(RequestValidationError)
    async def refuse_invalid(_request: Request, error: RequestValidationError) -> Response:
        return invalid(error.errors())

    @app.exception_handler(HTTPException)
    async def refuse_plainly(_request: Request, error: HTTPException) -> Response:
        if error.status_code == 400:  # the body is no JSON in UTF-8; FastAPI says no more of it
            return refused(422, "본문이 UTF-8로 된 JSON이 아닙니다.", "The body is not JSON in UTF-8.")
        headers = dict(error.headers) if error.headers else None
        return refused(error.status_code, "처리할 수 없는 요청입니다.", str(error.detail), headers=headers)


def _predictions(answers: Sequence[Answer | Failure]) -> Response:
    predictions: list[dict[str, Any] | Prediction] = [
        {"label": None, "score": None, "probabilities": None, "error": answer.message}
        if isinstance(answer, Failure)
        else answer.prediction
        for answer in answers
    ]
    failures = [answer.message for answer in answers if isinstance(answer, Failure)]
    if answers and len(failures) == len(answers):
        return refused(500, failures[0], "no text could be predicted")
    unknown = [index for index, answer in enumerate(answers) if isinstance(answer, Answer) and answer.unknown]
    message = UnknownTexts(len(answers), len(unknown)).message()
    warnings = [] if message is None else [{"message": str(message), "texts": unknown}]
    return _json({"predictions": predictions, "warnings": warnings})


def _ranked(answers: Sequence[Answer | Failure], labels: Sequence[str], top_k: int | None) -> Response:
    rows = []
    for answer in answers:
        if isinstance(answer, Failure):
            return refused(500, answer.message, "a text could not be predicted")
        ranked = sorted(zip(labels, answer.scores, strict=True), key=lambda pair: -pair[1])
        rows.append([{"label": label, "score": score} for label, score in ranked[:top_k]])
    return _json(rows)


def _json(content: Any, status: int = 200) -> Response:
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return Response(body, status, media_type="application/json")
