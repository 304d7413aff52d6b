"""The focal loss against recorded values, kornia, torch's cross-entropy and finite differences."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import kornia.losses
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from kobert_hf_emotion.errors import KoBERTEmotionError
from kobert_hf_emotion.labels import EMOTION_LABELS
from kobert_hf_emotion.modeling.losses import FocalLoss, focal_loss, resolve_alpha
from kobert_hf_emotion.modeling.sigmoid_loss import sigmoid_focal_loss
from kobert_hf_emotion.modeling.soft_loss import soft_focal_loss

pytestmark = pytest.mark.numeric

GAMMAS = (0.0, 0.5, 1.0, 2.0, 5.0)


@pytest.fixture(scope="module")
def golden(shared: Path) -> dict[str, Any]:
    return dict(json.loads((shared / "golden" / "focal_loss.json").read_text(encoding="utf-8")))


def make(rows: int = 16, classes: int = 7, seed: int = 0, scale: float = 2.0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = scale * torch.randn(rows, classes, generator=generator, dtype=torch.float64)
    return logits, torch.randint(0, classes, (rows,), generator=generator)


class TestGolden:
    def test_values(self, golden: dict[str, Any]) -> None:
        logits = torch.tensor(golden["logits"], dtype=torch.float64)
        target = torch.tensor(golden["target"])
        assert len(golden["cases"]) == 9
        for case in golden["cases"]:
            alpha = golden[case["alpha"]] if isinstance(case["alpha"], str) else case["alpha"]
            value = focal_loss(logits, target, alpha, case["gamma"], case["reduction"])
            assert value.tolist() == pytest.approx(case["value"], abs=1e-9), case

    def test_common_mistakes_are_not_made(self, golden: dict[str, Any]) -> None:
        logits = torch.tensor(golden["logits"], dtype=torch.float64)
        target = torch.tensor(golden["target"])
        with_alpha = focal_loss(logits, target, golden["alpha_per_class"], 2.0).item()
        assert abs(with_alpha - golden["wrong_on_purpose"]["alpha_before_pt"]) > 0.1
        plain = focal_loss(logits, target, 1.0, 2.0).item()
        assert abs(plain - golden["wrong_on_purpose"]["mean_before_focal"]) > 0.1


class TestAgreement:
    @settings(max_examples=60, deadline=None)
    @given(
        seed=st.integers(0, 2**31),
        rows=st.integers(1, 12),
        classes=st.integers(2, 9),
        gamma=st.floats(0, 5),
        alpha=st.floats(0.05, 1),
        reduction=st.sampled_from(["mean", "sum", "none"]),
    )
    def test_kornia(self, seed: int, rows: int, classes: int, gamma: float, alpha: float, reduction: Any) -> None:
        logits, target = make(rows, classes, seed)
        # kornia reads `alpha` as the weight of every class but the first, which has 1 - alpha, and gives a matrix
        # with the loss in the target's column.
        per_class = torch.full((classes,), alpha, dtype=torch.float64)
        per_class[0] = 1 - alpha
        expected = kornia.losses.focal_loss(logits, target, alpha, gamma, "none").sum(1)
        expected = {"mean": expected.mean(), "sum": expected.sum(), "none": expected}[reduction]
        assert torch.allclose(focal_loss(logits, target, per_class, gamma, reduction), expected, atol=1e-10)

    def test_gamma_0_is_cross_entropy(self) -> None:
        logits, target = make()
        assert torch.allclose(focal_loss(logits, target, gamma=0), functional.cross_entropy(logits, target))

    def test_gamma_0_with_class_weights(self) -> None:
        logits, target = make()
        weight = torch.tensor([0.5, 1, 2, 3, 0.1, 1.5, 0.7], dtype=torch.float64)
        for reduction in ("none", "sum"):
            expected = functional.cross_entropy(logits, target, weight, reduction=reduction)
            assert torch.allclose(focal_loss(logits, target, weight, 0, reduction), expected)
        # torch divides by the weights of the rows; ours, as the notebook, by the number of rows.
        assert torch.allclose(
            focal_loss(logits, target, weight, 0),
            functional.cross_entropy(logits, target, weight) * weight[target].sum() / len(target),
        )

    @pytest.mark.parametrize("gamma", GAMMAS)
    def test_the_formula(self, gamma: float) -> None:
        logits, target = make()
        alpha = np.linspace(0.2, 2, 7)
        p = np.exp(logits.numpy()) / np.exp(logits.numpy()).sum(1, keepdims=True)
        pt = p[np.arange(16), target.numpy()]
        expected = alpha[target.numpy()] * (1 - pt) ** gamma * -np.log(pt)
        assert np.allclose(focal_loss(logits, target, alpha.tolist(), gamma, None), expected, rtol=1e-12)


class TestGradients:
    @pytest.mark.parametrize("gamma", GAMMAS)
    @pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
    def test_finite_differences(self, gamma: float, reduction: Any) -> None:
        logits, target = make(5)
        target[2] = -100
        alpha = [0.5, 1, 2, 3, 0.1, 1.5, 0.7]
        logits.requires_grad_(True)
        assert torch.autograd.gradcheck(lambda x: focal_loss(x, target, alpha, gamma, reduction), (logits,))

    @pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
    @pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
    def test_extreme_logits(self, gamma: float, dtype: torch.dtype) -> None:
        rows = [[1000.0, -1000, 0], [-1000, 1000, 0], [1000, 1000, 1000], [-1000, -1000, 1000], [0, 0, 0]]
        logits = torch.tensor(rows, dtype=dtype, requires_grad=True)
        for target in range(3):
            value = focal_loss(logits, torch.full((5,), target), gamma=gamma)
            (gradient,) = torch.autograd.grad(value, logits)
            assert value.isfinite()
            assert gradient.isfinite().all()

    def test_certain_rows(self) -> None:
        # The naive (1 - pt)^0.5 has the gradient inf * 0 = NaN at pt = 1.
        logits = torch.tensor([[200.0, 0.0], [0.0, 0.0]], requires_grad=True)
        value = focal_loss(logits, torch.tensor([0, 0]), gamma=0.5)
        value.backward()
        assert logits.grad is not None
        assert logits.grad[0].tolist() == [0.0, 0.0]
        assert logits.grad[1].abs().min() > 0.1
        naive = torch.tensor([[200.0, 0.0]], requires_grad=True)
        log_pt = naive.log_softmax(-1)[:, 0]
        ((1 - log_pt.exp()) ** 0.5 * -log_pt).sum().backward()
        assert naive.grad is not None
        assert naive.grad.isnan().any(), "the trap that this test is about is gone"

    def test_large_loss_has_the_gradient_of_cross_entropy(self) -> None:
        logits = torch.tensor([[-1000.0, 1000.0]], requires_grad=True)
        focal_loss(logits, torch.tensor([0]), gamma=2.0).backward()
        assert logits.grad is not None
        assert logits.grad.tolist() == [[-1.0, 1.0]]


class TestPrecision:
    @pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
    def test_half_precision_logits(self, dtype: torch.dtype) -> None:
        logits, target = make()
        half = logits.to(dtype)
        value = focal_loss(half, target)
        assert value.dtype == torch.float32
        assert value.item() == pytest.approx(focal_loss(half.double(), target).item(), rel=1e-6)

    def test_autocast(self) -> None:
        logits, target = make()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            value = FocalLoss(gamma=1.5)(logits.float(), target)
        assert value.dtype == torch.float32
        assert value.item() == pytest.approx(focal_loss(logits, target, gamma=1.5).item(), rel=1e-6)

    def test_float64_stays(self) -> None:
        assert focal_loss(*make()).dtype == torch.float64

    def test_inputs_are_left_alone(self) -> None:
        logits, target = make()
        target[0] = -100
        before = logits.clone(), target.clone()
        focal_loss(logits, target)
        assert torch.equal(logits, before[0])
        assert torch.equal(target, before[1])


class TestIgnoredRows:
    def test_they_are_as_if_not_there(self) -> None:
        logits, target = make()
        target[[1, 5, 9]] = -100
        kept = target != -100
        for reduction in ("mean", "sum"):
            expected = focal_loss(logits[kept], target[kept], reduction=reduction)
            assert torch.allclose(focal_loss(logits, target, reduction=reduction), expected)
        rows = focal_loss(logits, target, reduction="none")
        assert rows[~kept].tolist() == [0.0] * 3
        assert (rows[kept] > 0).all()

    def test_other_index(self) -> None:
        logits, target = make()
        expected = focal_loss(logits[target != 3], target[target != 3])
        assert torch.allclose(focal_loss(logits, target, ignore_index=3), expected)
        assert torch.allclose(FocalLoss(ignore_index=3)(logits, target), expected)

    def test_the_index_is_torchs_unless_told_otherwise(self) -> None:
        logits, target = make()
        target[::3] = -100
        expected = functional.cross_entropy(logits, target)
        assert torch.allclose(focal_loss(logits, target, gamma=0), expected)
        assert torch.allclose(FocalLoss(gamma=0)(logits, target), expected)

    def test_of_one_class_there_is_no_loss(self) -> None:
        assert focal_loss(torch.randn(3, 1), torch.tensor([0, -100, 0]), [2.0], reduction="none").tolist() == [0, 0, 0]

    @pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
    def test_all_ignored(self, reduction: Any) -> None:
        logits = make(4)[0].requires_grad_(True)
        value = focal_loss(logits, torch.full((4,), -100), reduction=reduction)
        assert value.sum().item() == 0.0
        value.sum().backward()
        assert logits.grad is not None
        assert logits.grad.abs().sum().item() == 0.0

    def test_empty_batch(self) -> None:
        assert focal_loss(torch.zeros(0, 7), torch.zeros(0, dtype=torch.long)).item() == 0.0


class TestAlpha:
    values = (0.25, 0.5, 1.0, 1.5, 2.0, 0.75, 1.25)

    def test_every_way_of_writing_it(self) -> None:
        logits, target = make()
        expected = focal_loss(logits, target, list(self.values))
        ways = (
            self.values,
            torch.tensor(self.values, dtype=torch.float64),
            np.asarray(self.values),
            dict(zip(EMOTION_LABELS, self.values, strict=True)),
        )
        for alpha in ways:
            assert torch.allclose(focal_loss(logits, target, alpha), expected)
            assert torch.allclose(FocalLoss(alpha)(logits, target), expected)

    def test_number_scales(self) -> None:
        logits, target = make()
        plain = focal_loss(logits, target)
        for alpha in (0.25, torch.tensor(0.25), np.float64(0.25)):
            assert torch.allclose(focal_loss(logits, target, alpha), 0.25 * plain)
            assert torch.allclose(FocalLoss(alpha)(logits, target), 0.25 * plain)
        assert focal_loss(logits, target, 0).item() == 0.0

    def test_mapping_leaves_others_at_1(self) -> None:
        assert resolve_alpha({"sad": 2}) == [1, 1, 1, 2, 1, 1, 1]
        assert resolve_alpha({"b": 3.0}, ["a", "b"]) == [1.0, 3.0]
        assert FocalLoss({"b": 3.0}, labels=["a", "b"]).alpha == [1.0, 3.0]

    @pytest.mark.parametrize(
        "alpha", [-1, float("nan"), float("inf"), [1, -1], {"sad": float("nan")}, torch.ones(2) * -1]
    )
    def test_no_weight(self, alpha: Any) -> None:
        with pytest.raises(KoBERTEmotionError, match="alpha must be finite and not negative"):
            FocalLoss(alpha)

    @pytest.mark.parametrize("alpha", ["x", [None], {"sad": "much"}, [[1.0]]])
    def test_no_number(self, alpha: Any) -> None:
        with pytest.raises(KoBERTEmotionError, match="alpha must be made of numbers"):
            FocalLoss(alpha)

    def test_unknown_label(self) -> None:
        with pytest.raises(
            KoBERTEmotionError, match=r"alpha names unknown labels \['joy'\]; expected some of \['fear'"
        ):
            FocalLoss({"joy": 2.0})

    def test_wrong_length(self) -> None:
        with pytest.raises(KoBERTEmotionError, match=r"alpha has shape \(3,\), expected \(7,\)") as caught:
            focal_loss(*make(), alpha=[1, 2, 3])
        assert "alpha의 길이((3,))가 클래스 수(7)와" in caught.value.korean

    @pytest.mark.parametrize("alpha", [2.0, [1.0] * 7, np.ones(7), torch.ones(7)])
    def test_weights_go_where_the_logits_are(self, alpha: Any) -> None:
        """A device that every build of torch has, and that refuses tensors of another."""
        logits = torch.zeros(4, 7, device="meta", dtype=torch.bfloat16)
        assert focal_loss(logits, torch.zeros(4, dtype=torch.long, device="meta"), alpha).device.type == "meta"


class TestArguments:
    def test_reductions(self) -> None:
        logits, target = make()
        rows = focal_loss(logits, target, reduction="none")
        assert rows.shape == (16,)
        assert torch.equal(focal_loss(logits, target, reduction=None), rows)
        assert torch.allclose(focal_loss(logits, target, reduction="mean"), rows.mean())
        assert torch.allclose(focal_loss(logits, target, reduction="sum"), rows.sum())

    def test_module_is_the_function(self) -> None:
        logits, target = make()
        for gamma in GAMMAS:
            for reduction in ("mean", "sum", "none", None):
                module = FocalLoss(list(range(1, 8)), gamma, reduction)
                assert torch.equal(
                    module(logits, target), focal_loss(logits, target, list(range(1, 8)), gamma, reduction)
                )

    def test_defaults(self) -> None:
        logits, target = make()
        assert repr(FocalLoss()) == "FocalLoss(alpha=1.0, gamma=2.0, reduction='mean')"
        assert torch.equal(FocalLoss()(logits, target), focal_loss(logits, target, 1.0, 2.0, "mean"))

    @pytest.mark.parametrize("gamma", [-0.1, float("nan"), float("inf")])
    def test_gamma(self, gamma: float) -> None:
        with pytest.raises(KoBERTEmotionError, match="at least 0 and finite as `gamma`"):
            focal_loss(*make(), gamma=gamma)

    @pytest.mark.parametrize("reduction", ["average", "", 1])
    def test_reduction(self, reduction: Any) -> None:
        with pytest.raises(KoBERTEmotionError, match="reduction must be 'mean', 'sum', 'none' or None"):
            focal_loss(*make(), reduction=reduction)

    @pytest.mark.parametrize(("logits", "target"), [((7,), ()), ((2, 7), (3,)), ((2, 7), (2, 1)), ((2, 3, 7), (2, 3))])
    def test_shapes(self, logits: tuple[int, ...], target: tuple[int, ...]) -> None:
        with pytest.raises(KoBERTEmotionError, match=r"Expected logits \(batch, classes\) and target \(batch,\)"):
            focal_loss(torch.zeros(logits), torch.zeros(target, dtype=torch.long))

    def test_ids_of_classes_that_there_are_not(self) -> None:
        for target, found in (([0, 3, 1, -1], 3), ([2, 1, 0, -1], -1)):
            with pytest.raises(KoBERTEmotionError) as caught:
                focal_loss(torch.zeros(4, 3), torch.tensor(target))
            assert caught.value.english == f"Expected class ids 0 to 2 as target, found {found}."
            assert f"0부터 2까지의 라벨 번호가 필요한데 {found}이(가)" in caught.value.korean
        with pytest.raises(RuntimeError, match="int64"):  # torch's own
            focal_loss(torch.zeros(2, 3), torch.tensor([0, 1], dtype=torch.int16))

    @pytest.mark.parametrize("dtype", [torch.float32, torch.bool])
    def test_what_is_no_id_is_refused_with_a_way_out(self, dtype: torch.dtype) -> None:
        with pytest.raises(KoBERTEmotionError) as caught:
            focal_loss(torch.zeros(2, 3), torch.zeros(2, dtype=dtype))
        assert f"found {dtype}. Turn them into ids: target.long()." in caught.value.english
        assert f"{dtype}입니다. target.long()으로" in caught.value.korean

    @pytest.mark.parametrize("loss", [focal_loss, soft_focal_loss, sigmoid_focal_loss])
    @pytest.mark.parametrize("name", ["logits", "target"])
    def test_lists_are_no_tensors(self, loss: Any, name: str) -> None:
        usual = {"logits": torch.zeros(1, 2), "target": torch.zeros(1, 2)}
        with pytest.raises(KoBERTEmotionError) as caught:
            loss(**usual | {name: [[0.0, 1.0]]})
        assert caught.value.english.startswith(f"Expected Tensor as `{name}`, found [[0.0, 1.0]] (list)")
        assert caught.value.english.endswith("for example torch.tensor([…]).")
        assert caught.value.korean.startswith(f"`{name}`에는 Tensor이(가) 필요한데")

    def test_docstrings_hold_examples(self) -> None:
        assert ">>> " in (FocalLoss.__doc__ or "")
        assert ">>> " in (focal_loss.__doc__ or "")


def test_names_in_alpha_are_compared_as_labels_are() -> None:
    assert resolve_alpha({" Happy\u200b": 2.0, "ＳＡＤ": 3.0}, ["happy", "sad", "angry"]) == [2.0, 3.0, 1.0]
    with pytest.raises(KoBERTEmotionError, match="twice"):
        resolve_alpha({"Happy": 2.0, "happy": 3.0}, ["happy"])


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_a_target_that_fits_is_the_first_class(device: str) -> None:
    logits = torch.zeros(3, 4, device=device)
    target = FocalLoss().neutral_target(logits)
    assert (target.shape, target.dtype, target.device) == ((3,), torch.int64, logits.device)
    if device == "cpu":
        assert target.tolist() == [0, 0, 0]
        focal_loss(logits, target)
    assert FocalLoss(ignore_index=7).counted(torch.tensor([0, 7, -100])).tolist() == [True, False, True]


def test_an_answer_is_right_where_its_label_is_highest() -> None:
    logits, target = make(40)
    assert FocalLoss().right(logits, target).tolist() == (logits.numpy().argmax(1) == target.numpy()).tolist()


def test_weights_have_the_precision_of_the_logits() -> None:
    """Some devices have no float64."""
    logits, target = make()
    criterion = FocalLoss(alpha=[1.0, 2.0, 1.0, 1.0, 0.5, 1.0, 1.0])
    for dtype in (torch.float32, torch.float64):
        criterion(logits.to(dtype), target)
        assert criterion._weights is not None
        assert criterion._weights.dtype == dtype
