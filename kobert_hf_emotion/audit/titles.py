"""What the checks of an audit are called, for people."""

from __future__ import annotations

from ..wording import Wording
from .report import Status

STATUS_WORDS: dict[Status, Wording] = {
    "ok": Wording("정상", "ok"),
    "notice": Wording("참고", "notice"),
    "problem": Wording("문제", "problem"),
}
TITLES = {
    "encoding": Wording("인코딩", "encoding"),
    "nfd_texts": Wording("유니코드 정규화", "Unicode form"),
    "empty_texts": Wording("빈 글", "empty texts"),
    "lone_dots": Wording("점뿐인 글", "lone full stops"),
    "empty_labels": Wording("빈 레이블", "empty labels"),
    "label_columns_differ": Wording("두 레이블 열", "two label columns"),
    "columns": Wording("쓴 열", "columns used"),
    "excel_errors": Wording("엑셀 오류", "errors of Excel"),
    "null_texts": Wording("빈 값의 표시", "marks of missing values"),
    "label_numbers": Wording("숫자 레이블", "numeric labels"),
    "label_spellings": Wording("레이블 표기", "spellings of labels"),
    "second_label_alone": Wording("둘째 레이블만", "second label alone"),
    "exact_duplicates": Wording("같은 글", "equal texts"),
    "folded_duplicates": Wording("표기만 다른 글", "equal after folding"),
    "near_duplicates": Wording("거의 같은 글", "near duplicates"),
    "conflicting_labels": Wording("엇갈린 레이블", "conflicting labels"),
    "classes_below_folds": Wording("겹 수와 클래스", "classes and folds"),
    "imbalance_ratio": Wording("클래스 균형", "class balance"),
    "labels_per_row": Wording("행마다 레이블", "labels a row"),
    "rows_without_labels": Wording("레이블 없는 행", "rows without labels"),
    "labels_together": Wording("함께 있는 레이블", "labels together"),
    "annotator_agreement": Wording("평가자 일치도", "agreement of annotators"),
    "best_vote_share": Wording("표가 허락하는 최고", "best that votes allow"),
    "tied_votes": Wording("동률", "ties"),
    "train_test_overlap": Wording("학습·평가 겹침", "train/test overlap"),
    "train_test_overlap_folded": Wording("표기만 다른 겹침", "overlap after folding"),
    "train_test_overlap_near": Wording("거의 같은 겹침", "near overlap"),
    "train_test_group_overlap": Wording("그룹 겹침", "group overlap"),
    "tokenizer_mismatch": Wording("토크나이저", "tokenizer"),
    "unk_share": Wording("모르는 글자", "unknown tokens"),
    "truncated_share": Wording("길이", "lengths"),
    "device": Wording("장치", "device"),
    "memory_estimate_mb": Wording("메모리", "memory"),
    "time_estimate_seconds": Wording("시간", "time"),
}
