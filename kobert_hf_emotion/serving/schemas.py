"""What goes in and out, each field described in Korean and in English."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _refuse_surrogates(text: str) -> str:
    r"""Raises `ValueError` where a text holds half a surrogate pair, such as "\ud83d": it is no text."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(error.reason) from None
    return text


Text = Annotated[str, AfterValidator(_refuse_surrogates)]


class PredictRequest(BaseModel):
    """예측할 글들 (texts to predict)."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"texts": ["오늘 정말 행복했어"]}]}
    )

    texts: list[Text] = Field(description="감정을 예측할 글들 (texts whose emotion is predicted)")
    contexts: list[list[Text]] | None = Field(
        default=None,
        description="앞말과 함께 학습한 모델만: 글마다 바로 앞의 말들, 오래된 것부터; 없으면 빈 목록 (of a model "
        "trained with the turns before a line alone: those of each text, the oldest first; an empty list for none)",
    )
    long: Literal["window", "sentence", "cut"] | None = Field(
        default=None,
        description="모델이 읽는 길이보다 긴 글: window는 겹치는 창, sentence는 문장마다, cut은 끝을 자름; 없으면 "
        "서버의 설정 (texts longer than the model reads: in windows, by sentence, or cut; as the server was "
        "told if left out)",
    )
    stride: int | None = Field(
        default=None, ge=0, description="이웃한 창이 함께 가진 토큰 수 (tokens that two windows share)"
    )
    pool: Literal["mean", "max"] | None = Field(
        default=None, description="나눈 것들의 확률을 합치는 법 (how the probabilities of the pieces are pooled)"
    )


class CoarsePrediction(BaseModel):
    """두 단계 레이블의 대분류: 소분류 확률의 합 (the coarse of two levels: sums of the fine probabilities)."""

    label: str = Field(description="가장 가능성이 큰 대분류 (the most probable coarse label)")
    score: float = Field(description="그 확률, 0~1 (its probability, 0 to 1)")
    probabilities: dict[str, float] = Field(
        description="대분류마다의 확률(%), 소수 둘째 자리까지 (the probability of every coarse label in percent)"
    )


class TextPart(BaseModel):
    """긴 글의 한 부분 (a piece of a long text)."""

    start: int = Field(description="시작 글자 번호, 0부터 (where it begins, in characters)")
    end: int = Field(description="끝 글자 번호 (where it ends)")
    label: str = Field(description="가장 가능성이 큰 감정 (the most probable emotion)")
    score: float = Field(description="그 확률, 0~1 (its probability, 0 to 1)")
    probabilities: dict[str, float] = Field(
        description="감정마다의 확률(%) (the probability of every emotion in percent)"
    )
    labels: list[str] | None = Field(
        default=None, description="여러 레이블 모델만: 고른 감정들 (of a multi-label model alone: the emotions given)"
    )
    coarse: CoarsePrediction | None = Field(
        default=None,
        description="두 단계 레이블 모델만: 대분류 (of a model with two levels of labels alone: the coarse one)",
    )


class TextPrediction(BaseModel):
    """글 하나의 예측 (the prediction of one text)."""

    label: str | None = Field(description="가장 가능성이 큰 감정 (the most probable emotion)")
    score: float | None = Field(description="그 확률, 0~1 (its probability, 0 to 1)")
    probabilities: dict[str, float] | None = Field(
        description="감정마다의 확률(%), 소수 둘째 자리까지 (the probability of every emotion in percent, two decimals)"
    )
    labels: list[str] | None = Field(
        default=None,
        description="여러 레이블 모델만: 고른 감정들, 확률이 큰 순서 (of a multi-label model alone: the emotions "
        "given, the most probable first)",
    )
    parts: list[TextPart] | None = Field(
        default=None, description="long을 준 때만: 창이나 문장마다의 답 (with long alone: of each window or sentence)"
    )
    coarse: CoarsePrediction | None = Field(
        default=None,
        description="두 단계 레이블 모델만: 대분류 (of a model with two levels of labels alone: the coarse one)",
    )
    error: str | None = Field(
        default=None,
        description="이 글만 예측하지 못했을 때 그 이유; 이때 나머지는 null (why this text alone has no prediction; "
        "the other fields are null then)",
    )


class TextWarning(BaseModel):
    """믿을 수 없는 예측에 대한 알림 (a warning about predictions that say nothing)."""

    message: str = Field(description="알리는 말, 한국어와 영어 (the warning, in Korean and in English)")
    texts: list[int] = Field(description="해당하는 글의 번호, 0부터 (indices of the texts it is about, from 0)")


class PredictResponse(BaseModel):
    """보낸 순서대로의 예측 (predictions, in the order of the texts)."""

    predictions: list[TextPrediction] = Field(description="글마다 하나씩의 예측 (a prediction for each text)")
    warnings: list[TextWarning] = Field(
        description="토크나이저가 읽지 못한 글; 없으면 빈 목록 (texts that the tokenizer could not read; empty if none)"
    )


class ClassificationParameters(BaseModel):
    """Hugging Face 추론 API의 선택 사항 (options of Hugging Face's inference API)."""

    top_k: int | None = Field(
        default=None, ge=1, description="확률이 큰 순서로 몇 개; 없으면 모두 (how many, the most probable first; all)"
    )
    function_to_apply: Literal["softmax"] | None = Field(
        default=None, description="softmax만 됩니다 (softmax is the only one there is)"
    )


class ClassificationRequest(BaseModel):
    """Hugging Face 추론 API의 요청 (a request of Hugging Face's inference API)."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"inputs": "오늘 정말 행복했어", "parameters": {"top_k": 2}}]}
    )

    inputs: Text | list[Text] = Field(description="글 하나 또는 글들 (a text, or texts)")
    parameters: ClassificationParameters | None = Field(default=None, description="선택 사항 (options)")
    options: dict[str, Any] | None = Field(
        default=None, description="받아도 쓰지 않습니다 (taken, as clients send it, and not used)"
    )


class LabelScore(BaseModel):
    """감정 하나와 그 확률 (an emotion and its probability)."""

    label: str = Field(description="감정 이름 (name of the emotion)")
    score: float = Field(description="확률, 0~1 (probability, 0 to 1)")


class Labels(BaseModel):
    """모델이 아는 감정 (the emotions that the model knows)."""

    labels: list[str] = Field(description="번호 순서대로의 이름 (names in the order of their ids)")
    thresholds: list[float] | None = Field(
        default=None,
        description="여러 레이블 모델만: 고르는 데 닿아야 할 확률, 0~1 (of a multi-label model alone: the probability "
        "that each label is to reach, 0 to 1)",
    )
    thresholds_from: str | None = Field(
        default=None,
        description="임계값의 출처; 맞추지 않았으면 null (what they were fitted on; null if they were not)",
    )
    allow_empty: bool | None = Field(
        default=None,
        description="여러 레이블 모델만: 빈 답이 있는지 (of a multi-label model alone: whether an answer may be empty)",
    )


class Health(BaseModel):
    """서버의 상태 (the state of the server)."""

    status: Literal["ready", "starting", "failed"] = Field(
        description="ready: 모델이 한 번 답함, starting: 아직, failed: 답하지 못함 (ready once the model has answered; "
        "starting before; failed where it cannot)"
    )
    waiting: int = Field(description="모델을 기다리는 글의 수 (texts that wait for the model)")
    error: str | None = Field(default=None, description="답하지 못한 이유 (why the model cannot answer)")


class FieldProblem(BaseModel):
    """잘못된 필드 하나 (a field that is wrong)."""

    field: str = Field(description="필드 이름, 예: texts[3] (name of the field, such as texts[3])")
    message: str = Field(description="무엇이 잘못되었는지, 한국어와 영어 (what is wrong, in Korean and in English)")


class Error(BaseModel):
    """요청이 거절된 이유 (why a request was refused)."""

    error: str = Field(description="이유와 해결 방법, 한국어와 영어 (why, and what to do, in Korean and in English)")
    fields: list[FieldProblem] = Field(
        default=[], description="잘못된 필드, 많으면 처음 몇 개 (the fields that are wrong; the first ones of many)"
    )
