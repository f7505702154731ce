"""What a sampling mask must be."""

from __future__ import annotations

import torch
from torch import Tensor

from shaketable.errors import InputError


def checked_mask(mask: Tensor) -> Tensor:
    """Return a mask ``(H, W)`` of zeros and ones as a boolean tensor.

    Raises
    ------
    InputError
        If the mask is not two-dimensional, holds values other than 0 and 1, or samples nothing.
    """
    try:
        mask = torch.as_tensor(mask)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(
            f"Expected a mask of zeros and ones as a tensor, got {type(mask).__name__}; "
            "load it first."
        ) from error
    if mask.ndim != 2:
        raise InputError(
            f"Expected a mask of shape (H, W), got {tuple(mask.shape)}; "
            "pass one mask for all images of a batch."
        )
    if not bool(((mask == 0) | (mask == 1)).all()):
        raise InputError(
            "Expected a mask of zeros and ones, got other values; "
            "threshold it, for example mask > 0.5."
        )
    if not bool((mask == 1).any()):
        raise InputError(
            "Expected a mask that samples at least one position, got all zeros; 1 means sampled."
        )
    return mask == 1
