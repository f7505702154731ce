"""Chunks of rows and gradient checkpointing change memory, not numbers."""

import pytest
import torch
from torch import nn

from shaketable import Budget, FourierMap, Problem, Search, worst_case
from shaketable.search.memory import checkpointed, rows_that_fit


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 1, 3, padding=1))
            for _ in range(3)
        )

    def forward(self, y, A):
        x = A.adjoint(y).real[:, None]
        for block in self.blocks:
            x = x + block(x)
        return x[:, 0]


@pytest.fixture
def problem():
    return Problem(forward=FourierMap(torch.ones(12, 12)), reconstruct=Net().double(), real=True)


def images(n: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(n, 12, 12, dtype=torch.float64, generator=generator)


@pytest.mark.parametrize("max_rows", [1, 2, 4])
def test_chunks_change_no_number(problem, max_rows):
    budget = Budget(n_gradients=15, n_starts=2)
    whole = worst_case(problem, images(), radius=0.1, search=Search(budget=budget))
    chunked = Budget(n_gradients=15, n_starts=2, max_rows=max_rows)
    parts = worst_case(problem, images(), radius=0.1, search=Search(budget=chunked))
    torch.testing.assert_close(parts.perturbation, whole.perturbation)
    torch.testing.assert_close(parts.trace, whole.trace, equal_nan=True)
    assert parts.n_gradients.tolist() == whole.n_gradients.tolist()
    assert parts.status == whole.status


def test_checkpointing_changes_no_number_and_keeps_less(problem):
    budget = Budget(n_gradients=15)
    plain = worst_case(problem, images(), radius=0.1, search=Search(budget=budget))
    saving = Budget(n_gradients=15, checkpoint=True)
    again = worst_case(problem, images(), radius=0.1, search=Search(budget=saving))
    torch.testing.assert_close(again.perturbation, plain.perturbation)
    assert kept(problem, False) > 2 * kept(problem, True)
    assert all("forward" not in vars(block) for block in problem.reconstruct.blocks)


def kept(problem: Problem, active: bool) -> int:
    """Bytes that one evaluation keeps for its gradient."""
    sizes: dict[int, int] = {}

    def pack(tensor):
        sizes[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    x = images(1).requires_grad_()
    with (
        checkpointed(problem.reconstruct, active),
        torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t),
    ):
        problem.reconstruct(problem.forward(x), problem.forward).sum()
    return sum(sizes.values())


def test_rows_are_as_many_as_free_memory_allows(monkeypatch):
    x = torch.rand(100, requires_grad=True)
    evaluate = lambda: (x * x).sum()  # noqa: E731  keeps 400 bytes

    monkeypatch.setattr("shaketable.search.memory._free_memory", lambda device: 8000)
    assert rows_that_fit(evaluate, 10, torch.device("cpu")) == 4
    monkeypatch.setattr("shaketable.search.memory._free_memory", lambda device: 10)
    assert rows_that_fit(evaluate, 10, torch.device("cpu")) == 1
    monkeypatch.setattr("shaketable.search.memory._free_memory", lambda device: 10**9)
    assert rows_that_fit(evaluate, 10, torch.device("cpu")) == 10
