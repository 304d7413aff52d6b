"""`kobert-emotion export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from . import options
from .language import counted, words
from .models import load_model
from .output import note_fine, quiet_libraries, say, say_json, say_next
from .turns import note_single_lines

if TYPE_CHECKING:
    from ..export import ExportReport


def export(
    model: Annotated[str, typer.Argument(help="'default', 폴더, Hub 이름 또는 .pt/.tar 파일 (model)")],
    output: Annotated[Path, typer.Option("--output", help="새 폴더 (folder to write; a new one)")],
    format: Annotated[  # noqa: A002
        Literal["onnx", "web"],
        typer.Option(
            "--format", help="onnx는 그래프, web은 브라우저에서 도는 페이지 (a graph, or a page for browsers)"
        ),
    ] = "onnx",
    int8: Annotated[
        bool | None,
        typer.Option(
            "--int8/--float32",
            help="행렬곱을 int8로: 더 작고, 한 문장씩은 더 빠름. 기본은 onnx면 float32, web이면 int8 (int8 products: "
            "smaller, faster one by one. Default: float32 for onnx, int8 for web)",
            show_default=False,
        ),
    ] = None,
    runtime: Annotated[
        Path | None,
        typer.Option(
            "--runtime",
            help="web: npm 패키지 onnxruntime-web의 폴더. 없으면 npm에서 받음 (that npm package's folder)",
        ),
    ] = None,
    tokenizer: options.Tokenizer = None,
    num_attention_heads: options.Heads = None,
    json: options.Json = False,
) -> None:
    """예시: kobert-emotion export default --format onnx --int8 --output exported

    모델을 torch 없이 도는 ONNX 그래프로 내보냅니다. 예제 문장과 모든 길이의 글로 torch와 비교해, 다르면 아무것도 쓰지
    않습니다: float32는 로짓 차이 1e-4 이하, int8은 라벨 99.5% 이상 일치. --format web은 서버 없이 브라우저에서 도는
    페이지를 씁니다. 폴더를 정적 파일 서버에 두면 됩니다.
    Writes the model as an ONNX graph that runs without torch. It is compared with torch on sample sentences and texts
    of every length, and nothing is written where they differ: float32 logits by more than 1e-4, int8 in more than 0.5%
    of the labels. --format web writes a page that needs no server: lay the folder on any host of static files.
    """  # noqa: D415
    from ..errors import CheckpointError
    from ..export import export_onnx, export_web
    from ..inference.classifier import Classifier

    if runtime is not None and format != "web":
        raise CheckpointError(
            "`runtime`은 `format`이 web일 때만 쓰입니다.",
            "`runtime` is for `format` web alone.",
            mend={"format": "web"},
        )
    with quiet_libraries():
        classifier = load_model(model, tokenizer, num_attention_heads)
        if not isinstance(classifier, Classifier):
            raise CheckpointError(
                f"{model}: 앙상블은 내보낼 수 없습니다. 겹 하나나 가중치 평균을 내보내세요.",
                f"{model}: an ensemble cannot be exported. Export one fold, or the mean of the weights.",
            )
        note_fine(classifier.task.levels is not None)
        if format == "web":
            note_single_lines(classifier)
            report = export_web(classifier, output, int8 is not False, runtime)
        else:
            report = export_onnx(classifier, output, bool(int8), None if Path(model).is_file() else model)
    if json:
        say_json({"format": format, **vars(report)})
    else:
        _say_result(model, output, report, format == "web")


def _say_result(model: str, output: Path, report: ExportReport, is_web: bool) -> None:
    """Says what was written, and how far it is what torch computes."""
    parity = report.parity
    products = (
        "" if report.int8_products is None else ", " + counted(report.int8_products, "개 행렬곱", "matrix products")
    )
    say(f"{model} → {output} ({report.precision}{products}, {report.size / 1e6:.1f} MB)")
    say(
        f"  {words('torch와 비교', 'compared with torch')}: {parity.texts:,} texts, label {parity.agreement:.2%}, "
        f"logit ≤ {parity.largest_difference:.2g}"
    )
    if is_web:
        size = sum(file.stat().st_size for file in output.rglob("*") if file.is_file())
        say(f"  {words('폴더 전체', 'the whole folder')}: {size / 1e6:.1f} MB")
        say_next(f"python -m http.server --directory {output} 8000, http://127.0.0.1:8000")
        return
    say_next(f'kobert-emotion predict {output} "오늘 정말 행복했어"')
