"""Options that several commands share, so that one text stands behind each."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

from ..data.task_names import TaskName
from ..errors import DataError

TextColumn = Annotated[
    str | None,
    typer.Option("--text-column", help="문장 열 이름; 없으면 추측 (column of the text; guessed if left out)"),
]
TextPairColumn = Annotated[
    str | None,
    typer.Option("--text-pair-column", help="문장 쌍이면 두 번째 문장 열 (column of the second sentence of a pair)"),
]
LabelColumn = Annotated[
    str | None,
    typer.Option(
        "--label-column",
        help="라벨 열 이름, 레이블이나 평가자마다 열이 있으면 쉼표로 나누어; 없으면 추측 (column of the label, or of "
        "each label or annotator with commas between; guessed if left out)",
    ),
]
Labels = Annotated[
    str | None,
    typer.Option(
        "--labels",
        help="쉼표로 나눈 라벨 이름, 번호 순서; 쉼표가 든 이름은 큰따옴표로: '\"기쁨, 행복\",슬픔'; 'auto'는 파일에서 "
        "읽음; 'kote'와 'goemotions'는 그 말뭉치의 이름들; 기본은 일곱 감정 (label names in the order of their ids, "
        "with commas between them and a name that holds one in double quotes; or 'auto'; or 'kote' or 'goemotions' for "
        "the names of that corpus; the seven emotions by default)",
    ),
]
Task = Annotated[
    TaskName,
    typer.Option(
        "--task",
        help="single-label: 문장마다 감정 하나; multi-label: 여럿. 한 칸에 '기쁨|놀람', '2,5,17'이나 목록으로, "
        "또는 레이블마다 0/1 열로; soft: 평가자들의 표. 레이블마다 표나 몫의 열, 평가자마다 레이블의 열, 또는 한 칸의 "
        "목록 (one emotion a text; or several: in one cell, or in a column of 0/1 for each; or soft, the votes of "
        "annotators: a column of votes or shares for each label, one of labels for each annotator, or lists)",
    ),
]
AllowEmpty = Annotated[
    bool,
    typer.Option(
        "--allow-empty",
        help="multi-label: 빈 레이블 칸은 감정이 없다는 뜻이고, 답도 비어 있을 수 있음 (an empty cell of labels "
        "means none, and an answer may be empty)",
    ),
]
LabelMap = Annotated[
    str | None,
    typer.Option(
        "--label-map",
        help="두 열의 표: 파일에 있는 값과 그것이 뜻하는 레이블(뺄 값은 -); 또는 kote, goemotions: 그 말뭉치의 이름을 "
        "일곱 감정으로 (a table of two columns, a value of the file and the label it means, - to leave it out; or kote "
        "or goemotions, from that corpus's names to the seven)",
    ),
]
FineLabelColumn = Annotated[
    str | None,
    typer.Option(
        "--fine-label-column",
        help="레이블이 두 단계일 때 소분류 열; --label-column은 대분류 열 (where labels have two levels, the column of "
        "the fine ones; --label-column is that of the coarse ones)",
    ),
]
SharedFineLabelsName: TypeAlias = Literal["error", "join"]
SharedFineLabels = Annotated[
    SharedFineLabelsName,
    typer.Option(
        "--shared-fine-labels",
        help="여러 대분류에 있는 소분류: error는 멈추고 행을 알림, join은 '대분류/소분류'로 나눔 (a fine label under "
        "several coarse ones: stop and name the rows, or tell them apart as coarse/fine)",
    ),
]
UnknownLabelName: TypeAlias = Literal["error", "drop"]
UnknownLabel = Annotated[
    UnknownLabelName,
    typer.Option(
        "--unknown-label",
        help="모르는 레이블: error는 멈추고 알림, drop은 그 행을 빼고 셈 (an unknown label: stop, or leave its rows "
        "out and count them)",
    ),
]
BatchSize = Annotated[int, typer.Option("--batch-size", min=1, help="배치 크기 (rows a batch)")]
Epochs = Annotated[float, typer.Option("--epochs", min=0.01, help="에폭 수 (passes over the rows)")]
LearningRate = Annotated[float, typer.Option("--learning-rate", help="학습률 (peak learning rate)")]
MaxLength = Annotated[int, typer.Option("--max-length", min=3, help="문장을 자르는 토큰 수 (tokens a text)")]
Gamma = Annotated[
    str,
    typer.Option(
        "--gamma",
        help="초점 손실의 gamma; multi-label은 레이블마다 줄 수도 있음: 기쁨=1,슬픔=3 또는 [목록] (focusing parameter; "
        "of several labels also one each)",
    ),
]
Alpha = Annotated[
    str,
    typer.Option(
        "--alpha",
        help="초점 손실의 라벨 가중치 alpha: 수, fear=2,sad=1.5, balanced, effective[:beta], [목록] 또는 {라벨: 수}; "
        "balanced와 effective는 학습 행에서 계산 (weights of the labels: a number, by name, or computed from the "
        "training rows)",
    ),
]
Warmup = Annotated[
    float,
    typer.Option(
        "--warmup",
        min=0,
        help="학습률을 올리는 단계 수, 1 미만이면 전체의 비율 (warm-up steps; below 1 a share)",
    ),
]
WeightDecay = Annotated[
    float,
    typer.Option("--weight-decay", min=0, help="가중치 감쇠; 편향과 LayerNorm에는 없음 (not on biases and LayerNorm)"),
]
LayerDecay = Annotated[
    float,
    typer.Option(
        "--layer-decay",
        help="층 하나를 내려갈 때마다 학습률에 곱하는 수, 예: 0.9; 1은 모든 층이 같음 (what the learning rate is "
        "multiplied by from a layer to the one below; 1 for the same rate)",
    ),
]
BestEpoch = Annotated[
    bool,
    typer.Option(
        "--best-epoch",
        help="겹마다 마지막이 아니라 가장 좋은 에폭을 남김; 학습 행에서 떼어 둔 행으로 고름 (keep each fold's best "
        "epoch, chosen on rows set aside from its training rows)",
    ),
]
EarlyStoppingPatience = Annotated[
    int,
    typer.Option(
        "--early-stopping-patience",
        min=0,
        help="이만큼의 에폭 동안 나아지지 않으면 겹을 멈추고 가장 좋은 에폭을 남김; 0은 멈추지 않음 (stop a fold after "
        "so many epochs without a better one, and keep the best; 0 for never)",
    ),
]
ChoosingShare = Annotated[
    float,
    typer.Option(
        "--choosing-share",
        help="에폭을 고르려고 겹의 학습 행에서 떼어 두는 비율 (share of a fold's training rows that its epoch is "
        "chosen on)",
    ),
]
OtherArguments = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="다른 학습 인자, 예: --set lr_scheduler_type=linear; 여러 번 쓸 수 있음 (any other training argument of "
        "transformers, NAME=VALUE; may be given several times)",
    ),
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="난수 시드 (seed)")]
GroupColumn = Annotated[
    str | None,
    typer.Option("--group-column", help="값이 같으면 같은 겹에 두는 열 (rows with equal values share a fold)"),
]
Context = Annotated[
    int | None,
    typer.Option(
        "--context",
        min=0,
        help="대화에서 한 줄 앞의 말을 몇 마디까지 함께 볼지; 대화는 --group-column, KEMDy 발화 번호나 AI-Hub의 시작 "
        "표시로 앎 (turns before a line that go with it, at most; conversations by --group-column, KEMDy's ids or "
        "AI-Hub's marks)",
    ),
]
OrderColumn = Annotated[
    str | None,
    typer.Option(
        "--order-column",
        help="--context: 대화 안의 순서 열; 없으면 파일의 차례 (order of the lines of a conversation; the file's)",
    ),
]
ConversationColumn = Annotated[
    str | None,
    typer.Option("--group-column", help="--context로 학습한 모델: 대화가 적힌 열 (column of the conversations)"),
]
GroupPattern = Annotated[
    str | None,
    typer.Option(
        "--group-pattern",
        help="--group-column의 값에서 그룹을 찾는 정규식; 첫 괄호 또는 전체, 예: '^(S\\d+)' "
        "(regular expression for the group in the column's value: its first parenthesis, or all of it)",
    ),
]
GroupDuplicates = Annotated[
    bool,
    typer.Option(
        "--group-duplicates/--no-group-duplicates",
        help="같은 글은 같은 겹에 둠 (rows with the same text share a fold)",
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="결과를 JSON 하나로 stdout에 출력 (print one JSON object on stdout)")
]
Tokenizer = Annotated[
    str | None,
    typer.Option(
        "--tokenizer",
        help="노트북 파일에 쓸 토크나이저: spiece.model, 폴더 또는 Hub 이름 (for the notebook's files: a spiece.model, "
        "folder or Hub id)",
    ),
]
Heads = Annotated[
    int | None,
    typer.Option(
        "--num-attention-heads",
        min=1,
        help="파일에 없을 때의 어텐션 헤드 수 (attention heads, where a file does not tell)",
    ),
]
WordSplitName: TypeAlias = Literal["sentencepiece", "gluonnlp"]
WordSplit = Annotated[
    WordSplitName | None,
    typer.Option("--word-split", help="노트북과 같은 토큰은 gluonnlp (gluonnlp: the notebook's tokens)"),
]
InputFile = Annotated[Path, typer.Argument(help="CSV, TSV, XLSX, JSON(L) 또는 Parquet 파일 (file)")]
StartModel = Annotated[
    str, typer.Option("--model", help="'default', 폴더 또는 Hub 이름 (folder or Hub id, e.g. skt/kobert-base-v1)")
]
Dropout = Annotated[float, typer.Option("--dropout", help="분류층 앞 드롭아웃 (dropout before the head)")]
ReportTo = Annotated[
    list[str] | None,
    typer.Option(
        "--report-to",
        help="tensorboard, wandb, trackio; 여러 번 쓸 수 있음 (trackers, a run a fold; none by default)",
    ),
]
CheckpointSeconds = Annotated[
    float,
    typer.Option(
        "--checkpoint-seconds",
        min=0,
        help="겹 안에서 체크포인트를 남기는 최소 간격(초); 0은 단계마다 (seconds between checkpoints, at least)",
    ),
]
Accumulate = Annotated[
    int,
    typer.Option(
        "--accumulate",
        min=1,
        help="한 걸음에 모을 배치 수; 8이면 --batch-size 8로도 64행의 기울기 (batches a step: the gradient of all "
        "their rows, in the memory of one)",
    ),
]
Lora = Annotated[
    int,
    typer.Option(
        "--lora",
        min=0,
        help="LoRA 어댑터의 랭크, 예: 8; 0이면 가중치 자체를 학습 (rank of LoRA adapters to train; 0: the weights "
        "themselves)",
    ),
]
LoraAlpha = Annotated[
    float | None,
    typer.Option("--lora-alpha", help="LoRA의 배율은 이 값/랭크; 없으면 랭크의 두 배 (scale of LoRA; twice the rank)"),
]
LoraDropout = Annotated[
    float, typer.Option("--lora-dropout", min=0, max=1, help="LoRA 앞의 드롭아웃 (dropout before LoRA)")
]
LoraTarget = Annotated[
    str,
    typer.Option(
        "--lora-target",
        help="LoRA를 얹을 층 이름의 끝, 쉼표로 나눔; all-linear는 모두 (layers with LoRA, by the last part of their "
        "names; all-linear: all)",
    ),
]
Folds = Annotated[
    int | None, typer.Option("--folds", min=2, help="겹 수; 기본 5, --split이면 그 분할의 수 (folds; 5 by default)")
]
SplitFile = Annotated[
    Path | None,
    typer.Option(
        "--split",
        help="행마다 겹을 적은 CSV, 예: 다른 실행의 split.csv (CSV with the fold of each row, as a run writes)",
    ),
]

LongName: TypeAlias = Literal["window", "sentence"]
Long = Annotated[
    LongName | None,
    typer.Option(
        "--long",
        help="모델이 읽는 길이보다 긴 글을 겹치는 창(window)이나 문장(sentence)으로 나누어 답함; 없으면 끝을 "
        "자름 (texts longer than the model reads: in overlapping windows, or by sentence; cut if left out)",
    ),
]
Stride = Annotated[
    int, typer.Option("--stride", min=0, help="--long: 이웃한 창이 함께 가진 토큰 수 (tokens that two windows share)")
]
PoolName: TypeAlias = Literal["mean", "max"]
Pool = Annotated[
    PoolName,
    typer.Option(
        "--pool",
        help="--long: 나눈 것들의 확률을 합치는 법; mean은 평균, max는 라벨마다 가장 큰 값을 합이 1이 되게 (how the "
        "pieces' probabilities become the text's: their mean, or each label's highest, brought to a sum of 1)",
    ),
]

EngineName: TypeAlias = Literal["local", "ray"]
Engine = Annotated[
    EngineName,
    typer.Option(
        "--engine",
        help="ray: 여러 파일을 모든 코어나 클러스터에서, --output은 폴더 (ray: many files on all cores or a cluster; "
        "--output is a folder)",
    ),
]
TrainEngine = Annotated[
    EngineName,
    typer.Option("--engine", help="ray: 겹을 나란히, 클러스터에서 (ray: folds beside each other, on a cluster)"),
]
ResourcesPerFold = Annotated[
    str | None,
    typer.Option(
        "--resources-per-fold",
        help="겹마다 쓸 코어와 GPU, 예: cpu=4,gpu=1; 없으면 GPU 하나와 지금의 스레드 수 (cores and GPUs of a fold; "
        "one GPU and as many threads as here if left out)",
    ),
]
SearchEngine = Annotated[
    EngineName,
    typer.Option("--engine", help="ray: 시도를 나란히, 클러스터에서 (ray: trials beside each other, on a cluster)"),
]
ResourcesPerTrial = Annotated[
    str | None,
    typer.Option(
        "--resources-per-trial",
        help="시도마다 쓸 코어와 GPU, 예: cpu=4,gpu=1; 없으면 GPU 하나와 지금의 스레드 수 (cores and GPUs of a trial; "
        "one GPU and as many threads as here if left out)",
    ),
]
RayAddress = Annotated[
    str | None,
    typer.Option(
        "--ray-address",
        help="Ray 클러스터: auto 또는 주소:포트; 없으면 이 컴퓨터에서 시작 (a cluster: auto or HOST:PORT; this machine "
        "alone if left out)",
    ),
]
Actors = Annotated[
    int | None,
    typer.Option(
        "--actors",
        min=1,
        help="모델을 올릴 프로세스 수; 없으면 GPU마다, GPU가 없으면 코어마다 하나 (processes with the model; one for "
        "each GPU, or core without any)",
    ),
]
PartFormatName: TypeAlias = Literal["parquet", "csv"]
PartFormat = Annotated[PartFormatName, typer.Option("--part-format", help="부분 파일의 형식 (format of the parts)")]
Resume = Annotated[
    bool,
    typer.Option("--resume", help="끊긴 같은 작업을 이어서, 다 쓴 부분은 그대로 (go on; parts that are whole stay)"),
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict", help="읽지 못하는 파일이 하나라도 있으면 멈춤 (stop at the first file that cannot be read)"
    ),
]


def parse_labels(labels: str | None) -> tuple[str, ...] | None:
    r"""Returns label names, or None where they are to be read from the file.

    >>> parse_labels('"기쁨, 행복", 슬픔')
    ('기쁨, 행복', '슬픔')
    """
    from ..data.label_parsing import AUTO
    from ..labels import EMOTION_LABELS, LABEL_SETS, fold_name

    if labels is None:
        return EMOTION_LABELS
    if (known := LABEL_SETS.get(fold_name(labels))) is not None:
        return known
    if fold_name(labels) == AUTO:
        return None
    try:
        rows = list(csv.reader([labels], skipinitialspace=True, strict=True))
    except csv.Error as error:
        example = '"기쁨, 행복",슬픔'
        raise DataError(
            f"`labels` {labels!r}: 큰따옴표가 닫히지 않았습니다 ({error}). 쉼표가 든 이름은 '{example}'처럼 쓰세요.",
            f"`labels` {labels!r}: a double quote is not closed ({error}). Write a name with a comma like '{example}'.",
            mend={"labels": example},
        ) from error
    return tuple(name.strip() for row in rows for name in row)
