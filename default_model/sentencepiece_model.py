"""Trains the default model's SentencePiece model: 8,002 unigram pieces in KoBERT's layout.

    python -m default_model.sentencepiece_model --data ../shared/data --output spiece.model

The layout is KoBERT's: [UNK] 0, [PAD] 1, [CLS] 2, [SEP] 3, [MASK] 4, then pieces in code-point order;
normalisation `nmt_nfkc` with a dummy prefix. Compatibility jamo (ㅋ) become conjoining jamo under NFKC, so
both are one piece. `--report` prints the share of [UNK] on the test parts beside another model.
"""

from __future__ import annotations

import argparse
import io
import os
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

import sentencepiece
from sentencepiece import sentencepiece_model_pb2

from default_model import corpora

VOCAB_SIZE = 8002
SPECIAL_PIECES = ("[UNK]", "[PAD]", "[CLS]", "[SEP]", "[MASK]")
KOTE_REPEATS = 8
"""KOTE has the widest register (news, chat, shopping) and the fewest rows, so each row counts this often."""

EMOJI = (
    "😀😁😂🤣😃😄😅😆😇😉😊🙂🙃😋😌😍🥰😘😗😙😚😎🤩🥳😏😒😞😔😟😕🙁☹😣😖😫😩🥺😢😭😤😠😡🤬🤯😳🥵🥶😱😨😰😥😓🤗🤔"
    "🤭🤫🤥😶😐😑😬🙄😯😦😧😮😲🥱😴🤤😪😵🤐🥴🤢🤮🤧😷🤒🤕🤑🤠😈👿💀☠💩🤡👻👽😺😹😻😿🙀🙈🙉🙊"
    "💋💌💘💝💖💗💓💞💕💟❣💔❤🧡💛💚💙💜🖤🤍🤎💯💢💥💦💨💤👋👌✌🤞👉👈☝👍👎✊👊👏🙌🙏💪👀🤦🤷"
    "🔥✨🌟⭐🎉🎊🎁🎂🌸🌹🌺🌷🍀☀🌈🌙☔❄⚡🐶🐱🐷🦀🍎☕🍺🍚🎶🎵💰🏠✈🚗⚽📱✅❌❗❓‼⁉♥♡★☆♪♬☺"
)
JAMO = "".join(map(chr, range(0x3131, 0x3164)))
ASCII = "".join(map(chr, range(0x21, 0x7F)))


def training_texts(data_dir: Path) -> Iterator[str]:
    """Yields the texts of the training parts, cleaned, with every text of a test part left out."""
    held_out = corpora.held_out_keys(data_dir)
    reviews = corpora.read_reviews(data_dir / "nsmc/reviews_rest.tsv.xz")
    goemotions = corpora.read_goemotions(data_dir / "goemotions_ko/train.tsv.xz")
    kote = corpora.read_kote(data_dir / "kote/val.tsv") * KOTE_REPEATS
    texts = [row.text for row in reviews] + [row.text for row in goemotions] + [row.text for row in kote]
    for text in texts:
        if corpora.text_key(text) not in held_out and not _is_braille_art(text):
            yield text


def _is_braille_art(text: str) -> bool:
    return any("\u2800" <= character <= "\u28ff" for character in text)


def train(texts: Iterator[str], threads: int) -> bytes:
    """Trains the model; the same texts give the same bytes.

    Args:
        texts: Sentences, one at a time.
        threads: Threads of the EM steps.

    Returns:
        The serialised model in KoBERT's layout.
    """
    required = "".join(sorted(set(unicodedata.normalize("NFKC", EMOJI + JAMO + ASCII))))
    buffer = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=texts,
        model_writer=buffer,
        model_type="unigram",
        vocab_size=VOCAB_SIZE,
        character_coverage=0.9999,
        required_chars=required,
        normalization_rule_name="nmt_nfkc",
        unk_id=0,
        pad_id=1,
        bos_id=2,
        eos_id=3,
        unk_piece=SPECIAL_PIECES[0],
        pad_piece=SPECIAL_PIECES[1],
        bos_piece=SPECIAL_PIECES[2],
        eos_piece=SPECIAL_PIECES[3],
        control_symbols=list(SPECIAL_PIECES[4:]),
        num_threads=threads,
    )
    return _in_code_point_order(buffer.getvalue())


def _in_code_point_order(model: bytes) -> bytes:
    """Sorts the ordinary pieces, as KoBERT's are: an id says nothing about how often its piece was seen."""
    proto = sentencepiece_model_pb2.ModelProto.FromString(model)
    special, ordinary = proto.pieces[: len(SPECIAL_PIECES)], proto.pieces[len(SPECIAL_PIECES) :]
    if tuple(piece.piece for piece in special) != SPECIAL_PIECES or len(proto.pieces) != VOCAB_SIZE:
        raise RuntimeError(f"Unexpected layout: {len(proto.pieces)} pieces, first {[p.piece for p in special]}.")
    pieces = [*special, *sorted(ordinary, key=lambda piece: piece.piece)]
    del proto.pieces[:]
    proto.pieces.extend(pieces)
    proto.trainer_spec.ClearField("input")
    return proto.SerializeToString(deterministic=True)


def unknown_share(model: Path, texts: Sequence[str]) -> tuple[float, float]:
    """Returns the share of [UNK] among the tokens of `texts` and the mean tokens a text."""
    encoder = sentencepiece.SentencePieceProcessor(model_file=str(model))
    ids = [token for row in encoder.encode(list(texts)) for token in row]
    return ids.count(encoder.unk_id()) / len(ids), len(ids) / len(texts)


def main() -> None:
    """Trains or reports, as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with nsmc, kote and goemotions_ko")
    parser.add_argument("--output", type=Path, help="where to write spiece.model; must not exist")
    parser.add_argument("--report", type=Path, nargs="+", default=[], help="models to print the [UNK] share of")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    if arguments.output is not None:
        model = train(training_texts(arguments.data), arguments.threads)
        partial = arguments.output.with_name(arguments.output.name + ".partial")
        partial.write_bytes(model)
        os.link(partial, arguments.output)
        partial.unlink()
    if arguments.report:
        tests = {
            "NSMC test": [row.text for row in corpora.read_reviews(arguments.data / "nsmc/ratings_test.tsv.xz")],
            "KOTE test": [row.text for row in corpora.read_kote(arguments.data / "kote/test.tsv")],
        }
        for path in arguments.report:
            for name, texts in tests.items():
                share, length = unknown_share(path, texts)
                print(f"{path}\t{name}\t[UNK] {share:.4%}\t{length:.1f} tokens a text")


if __name__ == "__main__":
    main()
