"""A run in two processes: what comes before its folds is done once, and a mistake ends both of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from forked import run_forked
from paths import SUPPORT
from preloaded import Preloaded
from small_runs import make_args, make_dataset

from kobert_hf_emotion.errors import RunError
from kobert_hf_emotion.runs.cross_validation import cross_validate

WORKER = """
import json, sys
from pathlib import Path

sys.path.insert(0, sys.argv[3])
from small_runs import make_args, make_dataset

from kobert_hf_emotion.errors import SplitError
from kobert_hf_emotion.runs import plan, preparation
from kobert_hf_emotion.runs.cross_validation import cross_validate

model, folder = sys.argv[1], Path(sys.argv[2])
args = make_args(num_train_epochs=1, max_steps=1, use_cpu=True)
seen = {"audits": 0, "encoded": 0, "refused": None}
audit, encode = preparation.audit_dataset, plan.encode_dataset

def counted(*given, **named):
    seen["audits"] += 1
    return audit(*given, **named)

def counted_encoding(*given, **named):
    seen["encoded"] += 1
    return encode(*given, **named)

preparation.audit_dataset, plan.encode_dataset = counted, counted_encoding
try:
    cross_validate(make_dataset(2), folder / "refused", model, args, n_splits=5)
except SplitError as error:
    seen["refused"] = error.english
result = cross_validate(make_dataset(2), folder / "run", model, args, n_splits=2)
seen |= {"split": result.split_sha256, "macro_f1": result.scores.macro_f1, "processes": args.world_size}
(folder / f"{args.process_index}.json").write_text(json.dumps(seen))
"""


@pytest.mark.slow
def test_the_main_process_prepares_for_all(tiny_model_folder: Path, tmp_path: Path, preloaded: Preloaded) -> None:
    script = tmp_path / "worker.py"
    script.write_text(WORKER, encoding="utf-8")
    run_forked(preloaded, (2, script, tiny_model_folder, tmp_path, SUPPORT))
    first, second = (json.loads((tmp_path / f"{number}.json").read_text()) for number in range(2))
    assert (first.pop("audits"), second.pop("audits")) == (1, 0)
    assert (first.pop("encoded"), second.pop("encoded")) == (1, 0)
    assert first == second
    assert first["processes"] == 2
    assert "fear" in first["refused"]
    assert not (tmp_path / "refused").exists()
    record = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert (record["finished"], record["split_sha256"]) == (True, first["split"])


@pytest.mark.parametrize("engine", ["FSDP", "DeepSpeed"])
def test_a_divided_model_is_refused(
    tiny_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    """As `accelerate launch` tells of it; nothing is left in the folder."""
    args = make_args()
    monkeypatch.setenv(f"ACCELERATE_USE_{engine.upper()}", "true")
    with pytest.raises(RunError, match=f"no model that {engine} divides"):
        cross_validate(make_dataset(2), tmp_path / "run", tiny_model_folder, args, n_splits=2)
    assert not (tmp_path / "run").exists()
