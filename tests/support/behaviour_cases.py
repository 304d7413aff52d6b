"""Behavioural cases for the default model, in the manner of CheckList (Ribeiro et al., 2020).

Three kinds of test: a text has an emotion (`Expects`); a change that a reader overlooks leaves the label
(`Keeps`); a change makes an emotion more or less probable (`Moves`). All sentences were written for this file.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True)
class Expects:
    """`text` has one of the emotions in `labels`."""

    text: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Keeps:
    """`changed` gets the label of `text`, whichever that is."""

    text: str
    changed: str


@dataclass(frozen=True)
class Moves:
    """The probability of `label` is higher for `higher` than for `lower`."""

    lower: str
    higher: str
    label: str


Case = Expects | Keeps | Moves

# One plain sentence for each emotion and register, from which the invariance cases are made.
PLAIN: tuple[tuple[str, str], ...] = (
    ("오늘 정말 행복했어요", "happy"),
    ("선물을 받아서 너무 기뻐요", "happy"),
    ("시험에 합격해서 신나요", "happy"),
    ("할머니가 돌아가셔서 너무 슬퍼요", "sad"),
    ("헤어지고 나니 눈물만 나요", "sad"),
    ("아무도 없어서 외롭고 우울해요", "sad"),
    ("약속을 또 어겨서 정말 화가 나요", "angry"),
    ("새치기하는 사람 때문에 짜증 나요", "angry"),
    ("어두운 골목이 너무 무서워요", "fear"),
    ("내일 수술이라 불안하고 떨려요", "fear"),
    ("벌레가 나와서 징그럽고 역겨워요", "disgust"),
    ("썩은 냄새 때문에 토할 것 같아요", "disgust"),
    ("갑자기 나타나서 깜짝 놀랐어요", "surprise"),
    ("회의는 오후 세 시에 시작합니다", "neutral"),
)

NEGATION: tuple[Case, ...] = (
    Moves("오늘은 전혀 행복하지 않아", "오늘은 정말 행복해", "happy"),
    Moves("선물을 받았는데 하나도 안 기뻐", "선물을 받았는데 너무 기뻐", "happy"),
    Moves("이 영화는 재미없어요", "이 영화는 재미있어요", "happy"),
    Moves("여행이 즐겁지 않았다", "여행이 즐거웠다", "happy"),
    Moves("음식이 맛있지 않아요", "음식이 맛있어요", "happy"),
    Moves("서비스가 마음에 안 들어요", "서비스가 마음에 들어요", "happy"),
    Moves("추천하고 싶지 않아요", "꼭 추천하고 싶어요", "happy"),
    Moves("이제는 무섭지 않아요", "아직도 너무 무서워요", "fear"),
    Moves("걱정 없이 잘 지내요", "걱정이 많아서 잠이 안 와요", "fear"),
    Moves("나는 슬프지 않아", "나는 너무 슬퍼", "sad"),
    Moves("이제 외롭지 않아", "너무 외로워", "sad"),
    Moves("화나지 않았어요", "정말 화났어요", "angry"),
    Moves("짜증 내지 않을게", "진짜 짜증 나", "angry"),
    Moves("하나도 안 놀랐어", "정말 깜짝 놀랐어", "surprise"),
    Moves("냄새가 더럽지 않아요", "냄새가 더럽고 역겨워요", "disgust"),
    Expects("기분이 좋지 않아요", ("sad", "angry", "disgust", "fear")),
    Expects("이 영화는 정말 재미없다", ("sad", "angry", "disgust")),
    Expects("다시는 가고 싶지 않은 식당이에요", ("sad", "angry", "disgust")),
    Expects("돈이 아까워요 절대 사지 마세요", ("sad", "angry", "disgust")),
)

INTENSIFIERS: tuple[Case, ...] = (
    Moves("행복해요", "정말 너무너무 행복해요", "happy"),
    Moves("좋아요", "진짜 최고로 좋아요", "happy"),
    Moves("재미있네요", "정말 재미있네요 최고예요", "happy"),
    Moves("고마워요", "정말정말 고마워요", "happy"),
    Moves("조금 슬퍼요", "너무너무 슬퍼서 눈물이 나요", "sad"),
    Moves("조금 우울해요", "미치도록 우울하고 슬퍼요", "sad"),
    Moves("조금 화나요", "진짜 열받고 화나요", "angry"),
    Moves("조금 짜증 나네요", "진짜 짜증 나고 미치겠네", "angry"),
    Moves("조금 무서워요", "소름 끼치게 무섭고 두려워요", "fear"),
    Moves("조금 불안해요", "너무 불안하고 무서워서 떨려요", "fear"),
    Moves("조금 징그러워요", "토할 만큼 징그럽고 역겨워요", "disgust"),
    Moves("조금 더럽네요", "정말 더럽고 역겨워서 구역질 나요", "disgust"),
    Moves("조금 놀랐어요", "헐 완전 깜짝 놀랐어요", "surprise"),
    Moves("의외네요", "헉 세상에 이럴 수가", "surprise"),
    Expects("완전 최고 진짜 대박 좋아요", ("happy",)),
    Expects("정말 너무너무 슬프다", ("sad",)),
)

SPACING: tuple[Case, ...] = (
    *(Keeps(text, text.replace(" ", "")) for text, _ in PLAIN),
    *(Keeps(text, text.replace(" ", "  ")) for text, _ in PLAIN[:4]),
    Expects("오늘너무행복하다", ("happy",)),
    Expects("진짜짜증나고화난다", ("angry",)),
    Expects("너무슬퍼서눈물이난다", ("sad",)),
)

HONORIFICS: tuple[Case, ...] = (
    Keeps("오늘 정말 행복했어", "오늘 정말 행복했습니다"),
    Keeps("선물을 받아서 너무 기뻐", "선물을 받아서 너무 기쁩니다"),
    Keeps("너무 고마워", "너무 감사합니다"),
    Keeps("너무 슬퍼서 눈물이 나", "너무 슬퍼서 눈물이 납니다"),
    Keeps("마음이 너무 아파", "마음이 너무 아픕니다"),
    Keeps("헤어져서 우울해", "헤어져서 우울합니다"),
    Keeps("정말 화가 나", "정말 화가 납니다"),
    Keeps("진짜 짜증 나", "진짜 짜증 납니다"),
    Keeps("혼자 있으니 무서워", "혼자 있으니 무섭습니다"),
    Keeps("결과가 나올 때까지 불안해", "결과가 나올 때까지 불안합니다"),
    Keeps("너무 징그럽고 역겨워", "너무 징그럽고 역겹습니다"),
    Keeps("갑자기 나타나서 깜짝 놀랐어", "갑자기 나타나서 깜짝 놀랐습니다"),
    Keeps("회의는 세 시에 시작해", "회의는 세 시에 시작합니다"),
    Keeps("버스는 십 분 뒤에 와", "버스는 십 분 뒤에 옵니다"),
)

CHAT: tuple[Case, ...] = (
    Moves("오늘 시험 끝났다", "오늘 시험 끝났다 ㅎㅎㅎ 신난다", "happy"),
    Moves("집에 간다", "집에 간다 ㅠㅠㅠㅠ", "sad"),
    Moves("비가 와요", "비가 와요 ㅠㅠ", "sad"),
    Moves("결과가 나왔어", "결과가 나왔어 ㅠㅠ", "sad"),
    Moves("보고 싶다", "보고 싶다 ㅜㅜㅜ", "sad"),
    Moves("이거 봤어", "이거 봤어 ㅋㅋㅋㅋ 웃겨", "happy"),
    Moves("친구 만났어", "친구 만났어 ㅎㅎ", "happy"),
    Moves("주말이다", "주말이다 ㅎㅎㅎ 좋아", "happy"),
    Expects("꿀잼 ㅋㅋㅋㅋㅋ 완전 좋아", ("happy",)),
    Expects("너무 슬퍼 ㅠㅠㅠㅠ", ("sad",)),
    Expects("ㅠㅠㅠㅠㅠㅠ", ("sad",)),
    Expects("속상해 ㅜㅜ", ("sad",)),
    Expects("헐 ㄷㄷ 깜짝이야", ("surprise", "fear")),
    Expects("무섭다 ㄷㄷㄷ", ("fear",)),
    Keeps("너무 슬퍼 ㅠㅠ", "너무 슬퍼 ㅠㅠㅠㅠㅠㅠ"),
    Keeps("진짜 재밌다 ㅋㅋ", "진짜 재밌다 ㅋㅋㅋㅋㅋㅋ"),
    Keeps("행복해 ㅎㅎ", "행복해 ㅎㅎㅎㅎㅎ"),
    Keeps("보고 싶어 ㅠㅠ", "보고 싶어 ㅜㅜ"),
)

EMOJI: tuple[Case, ...] = (
    Moves("오늘 날씨", "오늘 날씨 😊😊", "happy"),
    Moves("우리 집 강아지", "우리 집 강아지 ❤️", "happy"),
    Moves("생일이에요", "생일이에요 🎉", "happy"),
    Moves("집에 왔어", "집에 왔어 😭", "sad"),
    Moves("소식을 들었어", "소식을 들었어 😢", "sad"),
    Moves("또 늦었네", "또 늦었네 😡", "angry"),
    Moves("말을 안 들어", "말을 안 들어 🤬", "angry"),
    Moves("밤길", "밤길 😱", "fear"),
    Expects("사랑해요 ❤️❤️", ("happy",)),
    Expects("너무 슬퍼요 😭😭", ("sad",)),
    Expects("진짜 화난다 😡😡", ("angry",)),
    Keeps("오늘 정말 행복했어요", "오늘 정말 행복했어요 😊"),
    Keeps("너무 슬퍼요", "너무 슬퍼요 😭"),
    Keeps("정말 화가 나요", "정말 화가 나요 😡"),
    Keeps("어두운 골목이 무서워요", "어두운 골목이 무서워요 😱"),
)

NFD: tuple[Case, ...] = tuple(Keeps(text, unicodedata.normalize("NFD", text)) for text, _ in PLAIN)

TYPOS: tuple[Case, ...] = (
    Keeps("오늘 정말 행복했어요", "오늘 정말 햄복했어요"),
    Keeps("선물을 받아서 너무 기뻐요", "선물을 받아서 넘 기뻐요"),
    Keeps("너무 슬퍼요", "너무 슬퍼여"),
    Keeps("정말 재미있어요", "정말 재밌어여"),
    Keeps("진짜 짜증 나요", "진짜 짜증나여"),
    Keeps("할머니가 돌아가셔서 너무 슬퍼요", "할머니가 도라가셔서 너무 슬퍼요"),
    Keeps("약속을 또 어겨서 정말 화가 나요", "약속을 또 어겨서 정말 화가나여"),
    Keeps("어두운 골목이 너무 무서워요", "어두운 골목이 너무 무서어요"),
    Keeps("내일 수술이라 불안하고 떨려요", "내일 수술이라 불안하구 떨려요"),
    Keeps("벌레가 나와서 징그럽고 역겨워요", "벌래가 나와서 징그럽고 역겨워요"),
    Keeps("갑자기 나타나서 깜짝 놀랐어요", "갑자기 나타나서 깜짝 놀랏어요"),
    Keeps("마음이 아프고 눈물이 나요", "마음이 아푸고 눈물이 나요"),
    Keeps("정말 감사합니다", "정말 감사함니다"),
    Keeps("기분이 너무 좋아요", "기분이 너무 조아요"),
    Keeps("다시는 안 가요 최악이에요", "다시는 안 가요 최악이예요"),
)

VOCABULARY: tuple[Case, ...] = (
    *(Expects(text, (label,)) for text, label in PLAIN),
    Expects("정말 사랑스럽고 감동적이에요", ("happy",)),
    Expects("연락이 끊겨서 마음이 아프다", ("sad",)),
    Expects("뻔뻔하게 거짓말을 하다니 열받네", ("angry",)),
    Expects("누가 따라오는 것 같아 겁이 난다", ("fear",)),
    Expects("더럽고 역겨운 인간이다", ("disgust",)),
    Expects("세상에 이게 진짜라니 믿을 수가 없어", ("surprise",)),
    Expects("서울에서 부산까지 기차로 세 시간 걸립니다", ("neutral",)),
    Expects("신청서는 금요일까지 제출하면 됩니다", ("neutral",)),
    Expects("이 제품의 크기는 가로 삼십 센티미터입니다", ("neutral",)),
)

CAPABILITIES: dict[str, tuple[Case, ...]] = {
    "vocabulary": VOCABULARY,
    "negation": NEGATION,
    "intensifiers": INTENSIFIERS,
    "spacing": SPACING,
    "honorifics": HONORIFICS,
    "chat": CHAT,
    "emoji": EMOJI,
    "nfd": NFD,
    "typos": TYPOS,
}
