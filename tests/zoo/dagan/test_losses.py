"""The losses against their formulas."""

from __future__ import annotations

import builtins
from types import ModuleType

import numpy as np
import pytest
import torch

from shaketable.zoo.dagan.losses import LossWeights, discriminator_loss, generator_loss
from shaketable.zoo.dagan.perceptual import as_features, vgg_features

OFF = LossWeights(image=0.0, fourier=0.0, perceptual=0.0, adversarial=0.0)


def pair() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return tuple(
        2 * torch.rand(2, 1, 8, 6, dtype=torch.float64, generator=generator) - 1 for _ in "12"
    )  # type: ignore[return-value]


def only(**weight: float) -> LossWeights:
    return LossWeights(
        **{"image": 0.0, "fourier": 0.0, "perceptual": 0.0, "adversarial": 0.0, **weight}
    )


def test_image_and_fourier_terms() -> None:
    estimate, truth = pair()
    logits = torch.zeros(2, dtype=torch.float64)
    a, b = estimate.numpy()[:, 0], truth.numpy()[:, 0]
    image = np.mean([np.linalg.norm(p - q) / np.linalg.norm(q) for p, q in zip(a, b, strict=True)])
    spectra = [np.abs(np.fft.fft2((x + 1) / 2)) for x in (a, b)]
    fourier = np.mean((spectra[0] - spectra[1]) ** 2)
    got = [
        float(generator_loss(estimate, truth, logits, only(**{k: 2.0})))
        for k in ("image", "fourier")
    ]
    assert got == pytest.approx([2 * image, 2 * fourier], rel=1e-12)


def test_adversarial_terms() -> None:
    estimate, truth = pair()
    logits = torch.tensor([0.3, -2.0], dtype=torch.float64)
    probability = 1 / (1 + np.exp(-logits.numpy()))
    got = float(generator_loss(estimate, truth, logits, only(adversarial=1.0)))
    assert got == pytest.approx(-np.log(probability).mean(), rel=1e-12)
    assert float(generator_loss(estimate, truth, None, only(adversarial=1.0))) == 0.0
    real = torch.tensor([1.5, 0.2], dtype=torch.float64)
    expected = -np.log(1 / (1 + np.exp(-real.numpy()))).mean() - np.log(1 - probability).mean()
    assert float(discriminator_loss(real, logits)) == pytest.approx(expected, rel=1e-12)


def test_perceptual_term_compares_features() -> None:
    estimate, truth = pair()
    logits = torch.zeros(2, dtype=torch.float64)
    got = generator_loss(estimate, truth, logits, only(perceptual=3.0), lambda x: 2 * x)
    assert float(got) == pytest.approx(3 * 4 * float((estimate - truth).square().mean()), rel=1e-12)
    left_out = generator_loss(estimate, truth, logits, only(perceptual=3.0), None)
    assert float(left_out) == 0.0


def test_published_weights_and_terms_add_up() -> None:
    estimate, truth = pair()
    logits = torch.tensor([0.3, -2.0], dtype=torch.float64)
    parts = [
        float(generator_loss(estimate, truth, logits, only(**{name: weight}), lambda x: x))
        for name, weight in
        (("image", 15.0), ("fourier", 0.1), ("perceptual", 0.0025), ("adversarial", 1.0))
    ]  # fmt: skip
    whole = float(generator_loss(estimate, truth, logits, LossWeights(), lambda x: x))
    assert whole == pytest.approx(sum(parts), rel=1e-12)


def test_features_see_grey_as_colour() -> None:
    seen = as_features(torch.nn.Identity())(torch.full((1, 1, 4, 4), 1.0))
    assert seen.shape == (1, 3, 244, 244)
    expected = [(1 - 0.485) / 0.229, (1 - 0.456) / 0.224, (1 - 0.406) / 0.225]
    assert seen[0, :, 0, 0].tolist() == pytest.approx(expected, rel=1e-6)


def test_says_when_the_perceptual_term_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def without(name: str, *rest: object) -> ModuleType:
        if name.startswith("torchvision"):
            raise ImportError("No module named 'torchvision'")
        return original(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.warns(UserWarning, match="perceptual loss is left out.*torchvision.*install"):
        assert vgg_features(torch.device("cpu")) is None
