"""The root of a function of one number, and its derivative.

For a root ``x`` of ``f(x, p) = 0`` the implicit function theorem says ``dx/dp = -f_p / f_x``. That
is also the derivative of one Newton step ``x - f(x, p) / f_x`` of which the slope ``f_x`` is held
constant, and at the root the step itself is zero. So the root is found without derivatives, and one
Newton step gives it those, in reverse and in forward mode.

References
----------
Griewank and Walther, "Evaluating Derivatives" (2nd ed., 2008), section 15.3 (implicit derivatives).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.autograd import forward_ad

_N_SECANTS = 12


def find_root(
    function: Callable[[float], float], start: float, tolerance: float
) -> tuple[float, int]:
    """Where an increasing function of slope about 1 is zero, by secants, and how often it was asked.

    Parameters
    ----------
    function
        Of slopes between 0.05 and 5.
    start
        Where to begin; no step is longer than 1.
    tolerance
        The absolute value of the function that is small enough. After 12 values the best is
        returned.

    Examples
    --------
    >>> root, n_values = find_root(lambda x: x + x**3 / 10 - 1, 0.0, 1e-9)
    >>> round(root, 6), n_values
    (0.921699, 6)
    """
    here, value = start, function(start)
    best, smallest, slope = here, abs(value), 1.0
    for number in range(1, _N_SECANTS):
        if smallest <= tolerance:
            return best, number
        before, there = here, value
        here = before - min(max(value / slope, -1.0), 1.0)
        value = function(here)
        if here != before and value != there:
            slope = min(max((value - there) / (here - before), 0.05), 5.0)
        if abs(value) < smallest:
            best, smallest = here, abs(value)
    return best, _N_SECANTS


def differentiable_root(
    function: Callable[[Tensor, Tensor], Tensor], root: Tensor, parameter: Tensor
) -> Tensor:
    """A root with the derivative in the parameter that keeps the function at its value.

    Parameters
    ----------
    function
        ``f(x, p)``, one number, differentiable in both. A constant may be left out of it.
    root
        ``()``: ``x``, at which ``f`` is zero, or that constant.
    parameter
        ``p``, of any shape. Where no derivative in it is asked for, the root is returned as it is.

    Examples
    --------
    >>> p = torch.tensor(4.0, requires_grad=True)
    >>> root = differentiable_root(lambda x, p: x**2 - p, torch.tensor(2.0), p)
    >>> root.item(), torch.autograd.grad(root, p)[0].item()
    (2.0, 0.25)
    """
    if not _is_differentiated(parameter):
        return root
    fixed = parameter.detach()
    slope = _derivative(lambda x: function(x, fixed).sum(), root)
    value = function(root, parameter)
    newton_step = (value - value.detach()).sum() / torch.where(slope == 0, 1, slope)
    return root - newton_step


def _derivative(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    try:
        leaf = x.clone().requires_grad_()
    except RuntimeError:  # inside `torch.func`, where nothing may require a gradient
        derivative: Tensor = torch.func.grad(function)(x)
        return derivative
    # Not always that of `torch.func`: its first use loads 800 modules, which takes seconds.
    with torch.enable_grad():
        return torch.autograd.grad(function(leaf), leaf)[0]


def _is_differentiated(parameter: Tensor) -> bool:
    """In reverse or in forward mode."""
    reverse = torch.is_grad_enabled() and parameter.requires_grad
    dual = forward_ad.unpack_dual(parameter)  # type: ignore[no-untyped-call]
    return reverse or dual.tangent is not None
