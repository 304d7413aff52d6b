"""What the default model does with negation, spacing, registers, ㅋㅋ, emoji and typos; see `behaviour_cases`."""

from __future__ import annotations

import sys

import pytest
from behaviour_cases import CAPABILITIES, Case, Expects, Keeps

from kobert_hf_emotion import EmotionClassifier

pytestmark = pytest.mark.numeric

# Passed cases of each capability when the shipped model was chosen. A change must not fall below.
FLOORS = {
    "vocabulary": 23,
    "negation": 18,
    "intensifiers": 16,
    "spacing": 19,
    "honorifics": 14,
    "chat": 18,
    "emoji": 15,
    "nfd": 14,
    "typos": 15,
}


@pytest.fixture(scope="module")
def outcomes() -> dict[str, list[tuple[Case, bool]]]:
    model = EmotionClassifier.from_pretrained("default")
    texts = sorted({text for cases in CAPABILITIES.values() for case in cases for text in texts_of(case)})
    found = dict(zip(texts, model.predict(texts), strict=True))

    def passes(case: Case) -> bool:
        if isinstance(case, Expects):
            return found[case.text]["label"] in case.labels
        if isinstance(case, Keeps):
            return found[case.text]["label"] == found[case.changed]["label"]
        return probability(case.higher, case.label) > probability(case.lower, case.label)

    def probability(text: str, label: str) -> float:
        return found[text]["probabilities"][label]

    return {name: [(case, passes(case)) for case in cases] for name, cases in CAPABILITIES.items()}


def texts_of(case: Case) -> tuple[str, ...]:
    if isinstance(case, Expects):
        return (case.text,)
    return (case.text, case.changed) if isinstance(case, Keeps) else (case.lower, case.higher)


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_pass_rate_does_not_fall(capability, outcomes, record_property):
    results = outcomes[capability]
    passed = sum(passed for _, passed in results)
    rate = f"{capability}: {passed}/{len(results)}"
    record_property("pass_rate", rate)
    failed = "\n".join(str(case) for case, passed in results if not passed)
    sys.stdout.write(f"{rate}\n{failed}\n")  # `pytest -s tests/default_model/test_behaviour.py` shows the rates
    assert passed >= FLOORS[capability], failed


def test_there_are_enough_cases():
    cases = [case for cases in CAPABILITIES.values() for case in cases]
    assert len(cases) == len(set(cases)) >= 120
