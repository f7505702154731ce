"""A plain U-Net, and what makes a reconstruction of it: zero-filled image in, image out."""

import torch
from torch import Tensor, nn


def block(n_in: int, n_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(n_in, n_out, 3, padding=1), nn.ReLU(),
        nn.Conv2d(n_out, n_out, 3, padding=1), nn.ReLU(),
    )  # fmt: skip


class UNet(nn.Module):
    """Two levels down and up again, added to the input."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.top, self.middle = block(2, width), block(width, 2 * width)
        self.bottom = block(2 * width, 2 * width)
        self.up_middle, self.up_top = block(4 * width, width), block(2 * width, width)
        self.last = nn.Conv2d(width, 2, 1)

    def forward(self, image: Tensor) -> Tensor:
        """``(B, 2, H, W)`` -> ``(B, 2, H, W)``."""
        shrink = nn.functional.max_pool2d
        grow = nn.Upsample(scale_factor=2, mode="bilinear")
        top = self.top(image)
        middle = self.middle(shrink(top, 2))
        bottom = self.bottom(shrink(middle, 2))
        middle = self.up_middle(torch.cat([middle, grow(bottom)], 1))
        return image + self.last(self.up_top(torch.cat([top, grow(middle)], 1)))


class Reconstruction(nn.Module):
    """f(y, A): what Shaketable tests. The network sees the zero-filled image as two channels."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.network = UNet(width)

    def forward(self, y: Tensor, A) -> Tensor:
        """``(B, H, W)`` data -> ``(B, H, W)`` complex images."""
        channels = torch.view_as_real(A.adjoint(y)).permute(0, 3, 1, 2).contiguous()
        return torch.view_as_complex(self.network(channels).permute(0, 2, 3, 1).contiguous())
