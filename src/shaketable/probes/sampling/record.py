"""What the sampling probe records."""

from __future__ import annotations

from dataclasses import dataclass

from shaketable.records import Record


@dataclass(frozen=True, kw_only=True)
class SamplingRecord(Record):
    """One sampling rate on one image.

    Parameters
    ----------
    rate, trained_rate
        Shares of full sampling: this record's, and the one that the network was trained for.
    psnr, ssim
        Quality of the reconstruction, PSNR in dB.
    """

    rate: float | None = None
    trained_rate: float | None = None
    psnr: float | None = None
    ssim: float | None = None
