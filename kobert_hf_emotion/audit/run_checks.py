"""The estimate of memory and time in the words of a finding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..wording import Wording
from .report import Finding

if TYPE_CHECKING:
    from ..training.estimate import RunEstimate

_MEGABYTE = 1_000_000


def check_run(estimate: RunEstimate) -> list[Finding]:
    """Turns an estimate into findings: the device, the memory and the time. None of them is a problem of the data."""
    return [_device(estimate), _memory(estimate), _time(estimate)]


def _device(estimate: RunEstimate) -> Finding:
    is_cpu = estimate.device == "cpu"
    large = is_cpu and estimate.parameters > 50_000_000
    threads = f", {estimate.threads} thread(s)" if is_cpu else ""
    return Finding(
        check="device",
        status="notice" if large else "ok",
        value=estimate.device,
        found=Wording(
            f"{estimate.device}" + (f", 스레드 {estimate.threads}개" if is_cpu else ""), f"{estimate.device}{threads}"
        ),
        advice=Wording(
            "KoBERT 크기의 모델은 GPU에서 학습하는 편이 낫습니다.",
            "A model of KoBERT's size is better trained on a GPU.",
        )
        if large
        else None,
        details={"threads": estimate.threads},
    )


def _memory(estimate: RunEstimate) -> Finding:
    total = estimate.memory_bytes / _MEGABYTE
    parts = {
        "weights_mb": estimate.weight_bytes / _MEGABYTE,
        "gradients_mb": estimate.gradient_bytes / _MEGABYTE,
        "optimizer_mb": estimate.optimizer_bytes / _MEGABYTE,
        "activations_mb": estimate.activation_bytes / _MEGABYTE,
    }
    available = None if estimate.available_bytes is None else estimate.available_bytes / _MEGABYTE
    too_much = available is not None and total > available
    weights, gradients, optimizer, activations = parts.values()
    of_korean = "" if available is None else f"(장치 {available:,.0f} MB)"
    of_english = "" if available is None else f" (the device has {available:,.0f} MB)"
    return Finding(
        check="memory_estimate_mb",
        status="notice" if too_much else "ok",
        value=round(total, 1),
        found=Wording(
            f"학습 메모리 추정 {total:,.0f} MB{of_korean}: 파라미터 {estimate.parameters:,}개 {weights:,.0f}, 기울기 "
            f"{gradients:,.0f}, AdamW {optimizer:,.0f}, 활성값 {activations:,.0f}. Python과 라이브러리는 별도입니다",
            f"training memory, an estimate: {total:,.0f} MB{of_english}: {estimate.parameters:,} parameters "
            f"{weights:,.0f}, gradients {gradients:,.0f}, AdamW {optimizer:,.0f}, activations {activations:,.0f}. "
            "Python and the libraries come on top",
        ),
        advice=Wording(
            "--batch-size나 --max-length를 줄이세요. 활성값은 둘에 비례합니다.",
            "Lower --batch-size or --max-length: activations grow with both.",
        )
        if too_much
        else None,
        details={name: round(value, 1) for name, value in parts.items()}
        | {"parameters": estimate.parameters, "available_mb": None if available is None else round(available, 1)},
    )


def _time(estimate: RunEstimate) -> Finding:
    korean, english = _duration(estimate.total_seconds)
    return Finding(
        check="time_estimate_seconds",
        status="ok",
        value=round(estimate.total_seconds, 1),
        found=Wording(
            f"전체 학습 시간 추정 {korean}: {estimate.steps:,}스텝, 스텝당 {estimate.step_seconds:.3f}초. "
            f"이 컴퓨터에서 {estimate.timed_rows}행을 재어 늘려 셈한 값입니다",
            f"time of the whole run, an estimate: {english}: {estimate.steps:,} steps of {estimate.step_seconds:.3f} "
            f"s, extrapolated from {estimate.timed_rows} rows timed on this machine",
        ),
        details={
            "steps": estimate.steps,
            "step_seconds": round(estimate.step_seconds, 4),
            "timed_rows": estimate.timed_rows,
        },
    )


def _duration(seconds: float) -> tuple[str, str]:
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{seconds:.0f}초", f"{seconds:.0f} s"
    if minutes < 60:
        return f"{minutes}분", f"{minutes} min"
    return f"{minutes // 60:,}시간 {minutes % 60}분", f"{minutes // 60:,} h {minutes % 60} min"
