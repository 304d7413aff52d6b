"""Label names, their spellings, and the maps from other taxonomies."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from kobert_hf_emotion.labels import (
    EMOTION_LABELS,
    EMOTION_LABELS_KO,
    GOEMOTIONS_TO_EMOTION,
    ID2LABEL,
    KOTE_TO_EMOTION,
    LABEL2ID,
    clean_name,
    fold_name,
    label_aliases,
    map_taxonomy,
    whole_number,
)

# fmt: off
KOTE = [
    "불평/불만", "환영/호의", "감동/감탄", "지긋지긋", "고마움", "슬픔", "화남/분노", "존경", "기대감",
    "우쭐댐/무시함", "안타까움/실망", "비장함", "의심/불신", "뿌듯함", "편안/쾌적", "신기함/관심", "아껴주는",
    "부끄러움", "공포/무서움", "절망", "한심함", "역겨움/징그러움", "짜증", "어이없음", "없음", "패배/자기혐오",
    "귀찮음", "힘듦/지침", "즐거움/신남", "깨달음", "죄책감", "증오/혐오", "흐뭇함(귀여움/예쁨)", "당황/난처",
    "경악", "부담/안_내킴", "서러움", "재미없음", "불쌍함/연민", "놀람", "행복", "불안/걱정", "기쁨", "안심/신뢰",
]
# fmt: on


def test_order() -> None:
    assert EMOTION_LABELS == ("fear", "surprise", "angry", "sad", "neutral", "happy", "disgust")
    assert [ID2LABEL[i] for i in range(7)] == list(EMOTION_LABELS)
    assert [LABEL2ID[name] for name in EMOTION_LABELS] == list(range(7))


@pytest.mark.parametrize(
    ("spelling", "label"),
    [
        ("fear", "fear"),
        ("Fear", "fear"),
        (" ANGRY ", "angry"),
        ("anger", "angry"),
        ("sadness", "sad"),
        ("joy", "happy"),
        ("공포", "fear"),
        ("놀람", "surprise"),
        ("분노", "angry"),
        ("슬픔", "sad"),
        ("중립", "neutral"),
        ("행복", "happy"),
        ("혐오", "disgust"),
        (unicodedata.normalize("NFD", "행복"), "happy"),
        ("0", "fear"),
        ("6", "disgust"),
    ],
)
def test_spellings(spelling: str, label: str) -> None:
    assert label_aliases()[fold_name(spelling)] == EMOTION_LABELS.index(label)


def test_no_spelling_is_claimed_twice() -> None:
    aliases = label_aliases()
    for index in range(7):
        alone = {name for name, i in label_aliases([EMOTION_LABELS[index]]).items() if i == 0 and not name.isdigit()}
        assert {aliases[name] for name in alone} == {index}


def test_own_labels() -> None:
    aliases = label_aliases(["negative", "positive"])
    assert aliases == {"0": 0, "1": 1, "negative": 0, "positive": 1}


def test_own_name_outranks_synonym_and_number() -> None:
    assert label_aliases(["happy", "기쁨"])["기쁨"] == 1
    assert label_aliases(["1", "0"]) == {"1": 0, "0": 1}


def test_korean_names_are_spellings() -> None:
    assert [label_aliases()[name] for name in EMOTION_LABELS_KO] == list(range(7))


def test_kote_is_complete_and_in_order() -> None:
    assert list(KOTE_TO_EMOTION) == KOTE
    assert set(KOTE_TO_EMOTION.values()) <= {*EMOTION_LABELS, None}


def test_goemotions_is_complete(shared: Path) -> None:
    names = (shared / "data" / "goemotions_ko" / "labels.txt").read_text(encoding="utf-8").split()
    assert set(names) == set(GOEMOTIONS_TO_EMOTION)


def test_every_emotion_is_reached() -> None:
    assert set(GOEMOTIONS_TO_EMOTION.values()) == set(EMOTION_LABELS)
    assert set(KOTE_TO_EMOTION.values()) - {None} == set(EMOTION_LABELS)


def test_map_taxonomy() -> None:
    assert map_taxonomy(["기쁨", "행복", "슬픔"], KOTE_TO_EMOTION) == ("sad", "happy")
    assert map_taxonomy(["비장함"], KOTE_TO_EMOTION) == ()
    assert map_taxonomy(["비장함", "짜증"], KOTE_TO_EMOTION) == ("angry",)
    assert map_taxonomy([], KOTE_TO_EMOTION) == ()
    assert map_taxonomy(["love", "disgust", "fear"], GOEMOTIONS_TO_EMOTION) == ("fear", "happy", "disgust")
    with pytest.raises(KeyError, match="unheard"):
        map_taxonomy(["unheard"], KOTE_TO_EMOTION)


@pytest.mark.parametrize("name", ["hap\x00py", "\x07happy", "happy\x7f", "happy\x1b\u200b", "\thappy\n"])
def test_characters_that_are_not_seen_are_no_part_of_a_name(name: str) -> None:
    assert fold_name(name) == "happy"


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("3", "3"), (" 3.0", "3"), ("3.000\t", "3"), ("-1", "-1"), ("-1.0", "-1"), ("03", "03"),
        ("3.5", None), ("3.", None), ("", None), ("3 4", None), ("+3", None), ("1,000", None), ("٣", None),
        ("3e0", None),
    ],
)  # fmt: skip
def test_whole_numbers(cell: str, number: str | None) -> None:
    assert whole_number(cell) == number


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("  매우\xa0 슬픔\n", "매우 슬픔"),
        ("Ｓａｄ！（５）", "Sad!(5)"),
        ("ㅋㅋ ㅠ", "ㅋㅋ ㅠ"),
        ("a\u200bb\x00c\u3164\ufe0f", "abc"),
        ("\u1107\u116e\u11ab\u1102\u1169", "분노"),
        ("a\tb\x1fc\u2028d", "a b c d"),
        ("①", "①"),
        ("", ""),
    ],
)
def test_a_name_as_it_is_seen(name: str, clean: str) -> None:
    assert clean_name(name) == clean
    assert fold_name(name) == clean.lower()


def test_a_name_is_compared_without_case_and_composed() -> None:
    assert fold_name("STRASSE") == fold_name("straße")
    assert fold_name("İ") == unicodedata.normalize("NFC", fold_name("İ")), "what case makes of it is composed as well"
    assert fold_name("\u0345\u0313A") == fold_name(fold_name("\u0345\u0313A"))


def test_all_spellings_of_labels() -> None:
    found = label_aliases(["Happy", "중립", "SAD", "x", "2"])
    assert found == {
        "happy": 0, "행복": 0, "기쁨": 0, "happiness": 0, "joy": 0,
        "중립": 1,
        "sad": 2, "슬픔": 2, "sadness": 2,
        "x": 3,
        "0": 0, "1": 1, "2": 4, "3": 3, "4": 4,
    }  # fmt: skip
    assert label_aliases(["joy", "happy"])["joy"] == 0
    assert label_aliases(["happy", "Happy "])["행복"] == 0, "of two the first"
