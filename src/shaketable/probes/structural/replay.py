"""Insert stored details again."""

from __future__ import annotations

from shaketable.errors import RunError
from shaketable.probes.replaying import Replay, StoredCase, distance
from shaketable.probes.structural.record import StructuralRecord


def replay(stored: StoredCase[StructuralRecord]) -> tuple[Replay, ...]:
    """``‖f(A(x + s)) - f(A x)‖₂`` for every stored detail s."""
    image, method = stored.image, stored.method
    clean = method.reconstruct(image)
    names = [str(name) for name in stored.array("names")]
    details, outputs, before = (
        stored.array("detail"),
        stored.own("with_detail"),
        stored.own("clean"),
    )
    result = []
    for record in stored.records:
        if record.detail not in names:
            raise RunError(
                f"Expected the detail {record.detail!r} among the arrays of {stored.item}, got "
                f"{', '.join(names)}; run the plan again with the same directory."
            )
        index = names.index(record.detail)
        output = method.reconstruct(image + stored.added(details[index]))
        error = distance(outputs[index], before)
        result.append(stored.replayed(output - clean, error, what=record.detail))
    return tuple(result)
