"""The tree of errors: each says what was expected, what was got, and what to do next."""

from __future__ import annotations


class ShaketableError(Exception):
    """Root of all errors that Shaketable raises on purpose."""


class InputError(ShaketableError, ValueError):
    """What the caller brought (an image, a mask, a setting, a file) is wrong.

    Parameters
    ----------
    message
        The sentence for the user.
    field
        The setting that is wrong, ``sampling.rate`` for one inside another; empty where it is several
        together, None where it is not known.
    """

    def __init__(self, message: str = "", *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class ShapeError(InputError):
    """A tensor has another shape than the forward map or the reconstructor states.

    Parameters
    ----------
    message
        The sentence for the user.
    expected, got
        The two shapes, batch dimension included where there is one.
    """

    def __init__(
        self, message: str, *, expected: tuple[int, ...] = (), got: tuple[int, ...] = ()
    ) -> None:
        super().__init__(message)
        self.expected = expected
        self.got = got


class SubjectError(InputError):
    """Subjects were given that do not fit the images."""


class MapError(ShaketableError, ValueError):
    """A forward map is not what it claims to be."""


class AdjointError(MapError):
    """The adjoint of a forward map is not its adjoint.

    Parameters
    ----------
    message
        The sentence for the user.
    gap
        The relative dot-test gap ``|⟨A x, y⟩ - ⟨x, A* y⟩| / (‖A x‖ ‖y‖)``.
    limit
        The largest gap that passes.
    """

    def __init__(self, message: str, *, gap: float = float("nan"), limit: float = 0.0) -> None:
        super().__init__(message)
        self.gap = gap
        self.limit = limit


class LinearityError(MapError):
    """A forward map is not linear."""


class PreflightError(ShaketableError, RuntimeError):
    """A check of the problem failed before any search was started."""


class PlanError(InputError):
    """A plan file is wrong.

    Parameters
    ----------
    message
        The sentence for the user.
    file, line, field
        Where the mistake is, as far as it is known.
    """

    field: str

    def __init__(
        self, message: str, *, file: str = "", line: int | None = None, field: str = ""
    ) -> None:
        where = file + (f":{line}" if line is not None else "")
        prefix = ": ".join(part for part in (where, field) if part)
        super().__init__(f"{prefix}: {message}" if prefix else message, field=field)
        self.file = file
        self.line = line


class WeightsError(InputError):
    """A file of weights cannot be read into the network."""


class RunError(ShaketableError, RuntimeError):
    """A run directory cannot be written, resumed or read."""


class MissingDependencyError(ShaketableError, ImportError):
    """An optional library is needed for what was asked and is not installed."""
