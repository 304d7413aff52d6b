"""Makes the default's folder out of weights that `default_model.distillation` wrote.

    python -m default_model.install_default --state out/half.safetensors --record out/record.json \
        --data ../shared/data --output candidate
    python -m default_model.evaluate_default --data ../shared/data --model candidate

`--mix FILE SHARE` takes that share of the weights from another file, as often as is said. The temperature is 1 unless
`--fit-temperature` asks for one fitted on the held-out rows; either way the calibration error there is printed. Weights
that learned the held-out rows as well say nothing of it there: `--temperature-from out/half.safetensors` fits it for
the weights of the same recipe that did not see them, and the installed ones take it over.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import load_file
from torch import Tensor

from default_model import corpora
from default_model.batches import Encoder
from default_model.emotions import EmotionParts, calibrate, divide_logits, emotion_parts, held_out_figures
from default_model.evaluate_default import MAX_TOKENS, calibration_error
from default_model.network import MultiTaskNetwork, default_config
from default_model.prediction import predict_logits
from default_model.settings import Settings
from default_model.train_default import environment, export
from kobert_hf_emotion import EmotionClassifier

SHIPPED = Path(__file__).parents[1] / "kobert_hf_emotion/assets/default"
State = dict[str, Tensor]


def mixed(path: Path, others: list[tuple[Path, float]]) -> State:
    """Returns the weights of the classifier in `path`, moved towards others one after the other."""
    state = classifier_state(path)
    for other, share in others:
        target = classifier_state(other)
        state = {name: value.lerp(target[name], share) for name, value in state.items()}
    return state


def classifier_state(path: Path) -> State:
    """Returns encoder and emotion head of a file, float32."""
    return {name: value.float() for name, value in load_file(path).items() if name.startswith(("bert.", "classifier."))}


def network_of(state: State) -> MultiTaskNetwork:
    """Returns the network that the last stages of `train_default` work on, with these weights."""
    size = state["bert.embeddings.word_embeddings.weight"].shape[1]
    layers = len({name.split(".")[3] for name in state if name.startswith("bert.encoder.layer.")})
    network = MultiTaskNetwork(default_config(size, layers))
    network.classifier.load_state_dict(state)
    return network


def calibration(model: EmotionClassifier, parts: EmotionParts, encoder: Encoder) -> dict[str, float]:
    """Returns the calibration error on the rows held out of each data set."""
    errors = {}
    for name, data in (("kote", parts.kote_held_out), ("goemotions", parts.goemotions_held_out)):
        gold = corpora.dominant_emotions(data.targets)
        kept = np.flatnonzero(gold >= 0)
        logits = predict_logits(model, encoder, [data.texts[i] for i in kept], MAX_TOKENS)
        errors[name] = round(calibration_error(logits.softmax(dim=-1).double().numpy(), gold[kept]), 4)
    return errors


def main() -> None:
    """Makes the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--state", type=Path, required=True, help="weights, as `default_model.distillation` wrote them")
    parser.add_argument("--mix", nargs=2, action="append", default=[], metavar=("FILE", "SHARE"))
    parser.add_argument("--record", type=Path, required=True, help="record.json of that run")
    parser.add_argument("--data", type=Path, required=True, help="folder with nsmc, kote and goemotions_ko")
    parser.add_argument("--output", type=Path, required=True, help="folder for the model")
    fitting = parser.add_mutually_exclusive_group()
    fitting.add_argument("--fit-temperature", action="store_true", help="fit one on the held-out rows (1)")
    fitting.add_argument("--temperature-from", type=Path, metavar="FILE", help="fit it there for other weights' logits")
    arguments = parser.parse_args()
    others = [(Path(path), float(share)) for path, share in arguments.mix]
    settings = Settings()
    parts = emotion_parts(arguments.data, corpora.held_out_keys(arguments.data), settings)
    encoder = Encoder(SHIPPED / "spiece.model")
    network = network_of(mixed(arguments.state, others)).eval()
    fitted: Path | None = arguments.temperature_from
    judged = network if fitted is None else network_of(classifier_state(fitted)).eval()
    errors = {"before": calibration(judged.classifier, parts, encoder)}
    temperature = 1.0
    if arguments.fit_temperature or fitted is not None:
        temperature = calibrate(judged, parts, encoder, settings)
        errors["after"] = calibration(judged.classifier, parts, encoder)
    if judged is not network:
        divide_logits(network, temperature)
    figures = held_out_figures(network, parts, encoder, settings)
    record: dict[str, Any] = {
        "data_sha256": corpora.file_hashes(arguments.data),
        "tokenizer_sha256": encoder.sha256,
        "environment": environment(False),
        "parameters": sum(p.numel() for p in network.classifier.parameters()),
        "state": arguments.state.name,
        "mix": [[path.name, share] for path, share in others],
        "held_out": figures,
        "calibration_error_held_out": errors,
        "temperature": temperature,
        "temperature_from": arguments.state.name if fitted is None else fitted.name,
        "distillation": json.loads(arguments.record.read_text(encoding="utf-8")),
        "began_from": json.loads((SHIPPED / "training_record.json").read_text(encoding="utf-8")),
    }
    export(network, encoder, record, arguments.output)
    for name in ("spiece.model", "README.md"):
        shutil.copyfile(SHIPPED / name, arguments.output / name)
    size = (arguments.output / "model.safetensors").stat().st_size
    print(json.dumps({"held_out": figures, "calibration": errors, "temperature": temperature, "bytes": size}))


if __name__ == "__main__":
    main()
