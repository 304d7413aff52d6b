"""The card of an encoder that was trained on texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from huggingface_hub import ModelCardData

from ..hub.cards import is_hub_id, join_card, plain, table
from ..report.sections.origin import FIRST_ARGUMENTS

_NOT_USED = ("dropout", "focal_gamma", "focal_alpha")


def render_adapted_card(record: Mapping[str, Any], name: str) -> str:
    """Returns the text of the card.

    Args:
        record: The content of `training_record.json`.
        name: The name of the folder.
    """
    source = record["model"]
    shown = plain(source) if is_hub_id(source) else plain(source.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1])
    data = ModelCardData(
        language="ko",
        library_name="transformers",
        pipeline_tag="fill-mask",
        tags=["kobert", "korean"],
        model_name=plain(name),
        base_model=source if is_hub_id(source) else None,
    )
    found, arguments = record["perplexity"], record["training_arguments"]
    facts: list[list[str]] = [
        ["글 / texts", f"{record['texts']:,}"],
        ["글의 SHA-256 / SHA-256 of the texts", f"`{record['texts_sha256']}`"],
        ["떼어 둔 글 / held-out texts", f"{record['held_out_texts']:,}"],
        ["혼란도(떼어 둔 글) / perplexity on them", f"{found['before']:.2f} → {found['after']:.2f}"],
        [
            "가린 토큰 / hidden tokens",
            f"{record['probability']:.0%}, " + ("words" if record["whole_words"] else "tokens"),
        ],
        ["헤드 / head", "새것 / new, tied to the embeddings" if record["head_is_new"] else "모델의 것 / the model's"],
        *[
            [f"`{key}`", f"`{plain(arguments[key])}`"]
            for key in FIRST_ARGUMENTS
            if key in arguments and key not in _NOT_USED
        ],
    ]
    sections = [
        f"# {plain(name)}",
        f"`{shown}`을(를) 가린 말 맞히기로 이어서 학습한 인코더입니다(`kobert-emotion adapt`).\n"
        f"`{shown}`, trained on to name hidden tokens (`kobert-emotion adapt`; Gururangan et al., 2020).",
        table(["", ""], facts),
        "```bash\nkobert-emotion train train.csv --model THIS_FOLDER --output runs/a\n```",
    ]
    return join_card(data, sections)
