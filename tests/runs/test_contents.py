"""What is hashed of an object: everything that its answers depend on, and nothing else."""

from __future__ import annotations

import abc
import copy
import enum
import functools
import os
import subprocess
import sys
import textwrap
import threading
import types
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import shaketable as st
from shaketable.runs.contents import content_sha256
from tests.helpers import networks


def source(text: str, name: str = "mine", **around: object) -> dict[str, object]:
    """Run code as that of a module that is not installed."""
    namespace: dict[str, object] = {"__name__": name, "torch": torch, "nn": nn, **around}
    exec(compile(textwrap.dedent(text), f"{name}.py", "exec"), namespace)  # noqa: S102
    return namespace


def function(text: str, name: str = "mine", **around: object):
    """The function ``f`` of some code."""
    return source(text, name, **around)["f"]


def network(**changes: object) -> nn.Module:
    """A small network with layers in layers, a buffer and a setting."""
    torch.manual_seed(0)
    inner = nn.Sequential(nn.Conv2d(2, 2, 3), nn.BatchNorm2d(2), nn.Dropout(0.5))
    outer = nn.Sequential(inner, nn.LeakyReLU(0.1)).eval()
    outer.register_buffer("offset", torch.zeros(3))
    outer.width = 7
    for name, value in changes.items():
        setattr(outer, name, value)
    return outer


def weight(net: nn.Module) -> None:
    with torch.no_grad():
        net[0][0].weight[0, 0, 0, 0] += 1e-6


def statistics(net: nn.Module) -> None:
    net[0][1].running_mean[0] += 1e-6


def hook(net: nn.Module) -> None:
    net[0][0].register_forward_hook(lambda module, arguments, output: 2 * output)


def pre_hook(net: nn.Module) -> None:
    net[0][0].register_forward_pre_hook(lambda module, arguments: arguments)


def gradient_hook(net: nn.Module) -> None:
    net[0][0].register_full_backward_hook(lambda module, into, out: None)


CHANGES = {
    "weight": weight,
    "buffer": lambda net: net.offset.add_(1),
    "running statistics": statistics,
    "training of one layer": lambda net: net[0][2].train(),
    "setting of the whole": lambda net: setattr(net, "width", 8),
    "setting of a layer": lambda net: setattr(net[1], "negative_slope", 0.2),
    "another layer": lambda net: net.append(nn.ReLU()),
    "layer replaced": lambda net: net.__setitem__(1, nn.ReLU()),
    "dtype": lambda net: net.double(),
    "hook": hook,
    "hook before": pre_hook,
    "hook on gradients": gradient_hook,
    "forward replaced": lambda net: setattr(net, "forward", lambda y: y),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_network_changes_with(name):
    before, net = content_sha256(network()), network()
    assert content_sha256(net) == before is not None
    CHANGES[name](net)
    assert content_sha256(net) not in (before, None)


CODE = """
    scale = 2.0
    def helper(x):
        return scale * x
    def f(y, A, *, shift=0.5):
        return helper(A.adjoint(y)) + shift
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("+ shift", "- shift"),
        ("shift=0.5", "shift=0.6"),
        ("scale = 2.0", "scale = 3.0"),
        ("scale * x", "scale + x"),
        ("A.adjoint", "A.inverse"),
        ("*, shift=0.5", "shift=0.5"),
    ],
)
def test_a_function_changes_with_its_code_its_defaults_and_what_it_names(before, after):
    assert before in CODE
    assert content_sha256(function(CODE)) == content_sha256(function(CODE)) is not None
    assert content_sha256(function(CODE)) != content_sha256(function(CODE.replace(before, after)))


@pytest.mark.parametrize(
    "use",
    [
        "lambda y: helper(y)",  # in a lambda of its own
        "list(map(lambda one: helper(one), y))",
        "sum(helper(one) for one in y)",
        "[helper(one) for one in y]",
        "inside()",
    ],
)
def test_what_is_named_in_functions_within_a_function_counts(use):
    code = """
        def helper(x):
            return 2 * x
        def f(y):
            def inside():
                return helper(y)
            return {use}
    """.replace("{use}", use)
    assert content_sha256(function(code)) is not None
    assert content_sha256(function(code)) != content_sha256(function(code.replace("2 *", "3 *")))


def test_what_is_named_in_a_module_that_is_not_installed_counts():
    def used(factor: float):
        models = types.ModuleType("models")
        vars(models).update(
            source(f"factor = {factor}\ndef net(y):\n    return factor * y", "models")
        )
        return function("def f(y, A):\n    return models.net(A.adjoint(y))", models=models)

    assert content_sha256(used(2.0)) == content_sha256(used(2.0)) is not None
    assert content_sha256(used(2.0)) != content_sha256(used(3.0))


def test_constants_and_closures_count():
    def closing(value):
        return lambda y: value * y

    values = [
        1,
        1.0,
        True,
        2,
        "1",
        b"1",
        None,
        (1,),
        1j,
        np.float32(1),
        torch.ones(1),
        {"a": 1},
        {1},
    ]
    hashes = [content_sha256(closing(value)) for value in values]
    assert None not in hashes
    assert len(set(hashes)) == len(values)
    weights = torch.ones(4, 4)
    assert content_sha256(closing(weights)) == content_sha256(closing(weights.clone()))
    assert content_sha256(closing(weights)) != content_sha256(closing(weights.double()))
    assert content_sha256(closing(weights)) != content_sha256(closing(weights.reshape(16)))
    assert content_sha256(closing(weights.matmul)) != content_sha256(closing((2 * weights).matmul))
    with_nan = np.array([np.nan, 1.0])
    assert content_sha256(with_nan) == content_sha256(with_nan.copy())
    assert content_sha256(np.ones(2)) != content_sha256(np.ones(2, dtype=">f8"))
    assert content_sha256(torch.tensor([1 + 2j]).conj()) == content_sha256(torch.tensor([1 - 2j]))
    assert content_sha256([1, [2, 3]]) != content_sha256([1, 2, [3]])


def test_partials_and_bound_methods_count_with_what_they_hold():
    def scaled(y, A, factor):
        return factor * A.adjoint(y)

    one, same, other = (functools.partial(scaled, factor=value) for value in (2, 2, 3))
    assert content_sha256(one) == content_sha256(same) != content_sha256(other)
    unstable = [
        networks.Unstable(networks.fourier(), networks.images(1), gain=gain).__call__
        for gain in (4.0, 4.0, 5.0)
    ]
    first, second, third = map(content_sha256, unstable)
    assert first == second != third


CLASSES = """
    class Base:
        power = 1
        def inner(self, y):
            return y ** self.power
    class Net(Base):
        def __init__(self):
            self.gain = 2
        @staticmethod
        def shift(y):
            return y + 1
        @property
        def twice(self):
            return 2 * self.gain
        def __call__(self, y, A):
            return self.twice * self.shift(self.inner(y))
    f = Net()
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("y ** self.power", "y + self.power"),
        ("power = 1", "power = 2"),
        ("self.gain = 2", "self.gain = 3"),
        ("y + 1", "y + 2"),
        ("2 * self.gain", "3 * self.gain"),
        ("self.twice * ", "self.twice + "),
    ],
)
def test_an_object_changes_with_its_attributes_its_class_and_the_classes_above(before, after):
    assert before in CLASSES
    assert content_sha256(function(CLASSES)) == content_sha256(function(CLASSES)) is not None
    changed = function(CLASSES.replace(before, after))
    assert content_sha256(function(CLASSES)) != content_sha256(changed)


def test_functions_that_an_installed_package_makes_differ_by_what_they_do():
    def made(text):
        return function(text, name="torch")

    one, same, other = (made(f"f = lambda y: y + {value}") for value in (1, 1, 2))
    assert content_sha256(one) == content_sha256(same) != content_sha256(other)
    factories = [made(f"f = lambda y, k={value}: k * y") for value in (1, 2)]
    assert content_sha256(factories[0]) != content_sha256(factories[1])


def test_the_order_of_definition_does_not_count():
    ordered = "def a(y):\n    return y\ndef b(y):\n    return 2 * y\n"
    swapped = "\n# a comment\ndef b(y):\n    return 2 * y\n\ndef a(y):\n    return y\n"
    use = "def f(y):\n    return a(y) + b(y)\n"
    assert content_sha256(function(ordered + use)) == content_sha256(function(swapped + use))
    methods = ["    def one(self):\n        return 1\n", "    def two(self):\n        return 2\n"]
    one, other = (
        function("class Net:\n" + "".join(order) + "f = Net()")
        for order in (methods, methods[::-1])
    )
    assert content_sha256(one) == content_sha256(other)
    assert content_sha256({"a": 1, "b": 2}) == content_sha256({"b": 2, "a": 1})
    assert content_sha256({"heart", "lesion"}) == content_sha256({"lesion", "heart"}) is not None


ELSEWHERE = """
import torch
from torch import nn
import shaketable as st
from shaketable.runs.contents import content_sha256
from tests.helpers import networks

def chosen(y, A, mode="heart"):
    return y if mode in {"heart", "lesion", "club", "diamond", "spade"} else A(y)

class Settings:
    names = frozenset({"heart", "lesion", "club", "diamond"})
    def __init__(self):
        self.by_name = {name: len(name) for name in self.names}

network = networks.Layered(nn.BatchNorm2d(2), nn.ReLU()).eval()
everything = [
    network, network.forward, chosen, Settings(), lambda y, A: network(y, A), networks.fourier(),
    st.sparse.TotalVariation(gap=0.01), st.sparse.WaveletL1(), st.Structural(details=("heart",)),
    networks.scaled(2.0), networks.Unstable(networks.fourier(), networks.images(1), gain=4.0),
    st.RadonMap(torch.linspace(0, 3, 5), (8, 8)), st.MatrixMap(torch.eye(4)),
]
print(*map(content_sha256, everything))
"""


def test_another_process_finds_the_same():
    said = []
    for seed in ("1", "2"):  # of Python's own hashes, which order its sets
        environment = {
            **os.environ,
            "PYTHONHASHSEED": seed,
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        done = subprocess.run(
            [sys.executable, "-c", ELSEWHERE], env=environment, capture_output=True, text=True,
            check=True, cwd=Path(__file__).parents[2],
        )  # fmt: skip
        said.append(done.stdout.split())
    assert said[0] == said[1]
    assert len(said[0]) == 13
    assert "None" not in said[0]
    assert len(set(said[0])) == 13


COILS = st.MultiCoilFourierMap(networks.sequence().mask(0.5), torch.ones(2, 32, 32) / 2**0.5)
MAPS = {
    "fourier": networks.fourier(),
    "multi-coil": COILS,
    "radon": st.RadonMap(torch.linspace(0, 3, 6), (32, 32)),
    "matrix": st.MatrixMap(torch.eye(1024), image_shape=(32, 32)),
}


@pytest.mark.parametrize("name", MAPS)
def test_what_our_maps_remember_after_use_does_not_count(name):
    A = MAPS[name]
    before = content_sha256(A)
    image = networks.images(1, real=name in ("radon", "matrix"))
    A.adjoint(A(image))
    st.check_map(A)
    assert content_sha256(A) == before is not None
    assert content_sha256(copy.deepcopy(A)) == before


@pytest.mark.parametrize("name", MAPS)
def test_other_maps_differ(name):
    other = {
        "fourier": networks.fourier(0.75),
        "multi-coil": st.MultiCoilFourierMap(COILS.mask, COILS.coils.flip(0) * 1j),
        "radon": st.RadonMap(torch.linspace(0, 3.1, 6), (32, 32)),
        "matrix": st.MatrixMap(2 * torch.eye(1024), image_shape=(32, 32)),
    }
    hashes = [content_sha256(A) for A in (*MAPS.values(), other[name])]
    assert len(set(hashes)) == len(MAPS) + 1


@pytest.mark.parametrize(
    "method",
    [
        st.sparse.TotalVariation(gap=0.05),
        st.sparse.WaveletL1(gap=0.05),
        st.sparse.TotalGeneralizedVariation(gap=0.1),
    ],
    ids=lambda method: type(method).__name__,
)
def test_what_reference_methods_remember_after_use_does_not_count(method):
    before, A = content_sha256(method), networks.fourier()
    method(A(networks.images(1)), A)
    assert content_sha256(method) == before is not None
    assert content_sha256(copy.deepcopy(method)) == before


class Colour(enum.Enum):
    RED, BLUE = 1, 2


@dataclass(slots=True)
class Slotted:
    gain: float = 1.0


class Abstract(abc.ABC):
    @abc.abstractmethod
    def gain(self):
        """One or more."""

    def __call__(self, y, A):
        return self.gain() * y


class Concrete(Abstract):
    def gain(self):
        return 1


class Remembering:
    def __init__(self, gain):
        self.gain = gain

    @functools.cached_property
    def twice(self):
        return 2 * self.gain

    def __call__(self, y, A):
        return self.twice * y


@pytest.mark.parametrize(
    ("one", "same", "other"),
    [
        (Colour.RED, Colour.RED, Colour.BLUE),
        (Slotted(), Slotted(1.0), Slotted(2.0)),
        (Concrete(), Concrete(), lambda y, A: y),
        (Remembering(2), Remembering(2), Remembering(3)),
        (np.exp, np.exp, np.sin),
        (torch.relu, torch.relu, torch.abs),
        (torch.float32, torch.float32, torch.float64),
        (slice(1, 3), slice(1, 3), slice(1, 4)),
        (range(3), range(3), range(4)),
    ],
)
def test_common_python_has_content(one, same, other):
    assert content_sha256(one) == content_sha256(same) is not None
    assert content_sha256(one) != content_sha256(other)


def test_what_contains_itself_ends():
    class Node:
        pass

    node = Node()
    node.parent, node.children = node, [node]
    assert content_sha256(node) is not None

    def recursive(n):
        return n if n == 0 else recursive(n - 1)

    assert content_sha256(recursive) == content_sha256(recursive) is not None


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
def test_networks_that_keep_their_code_elsewhere_differ_or_are_unknown():
    traced = torch.fx.symbolic_trace
    one, other = content_sha256(traced(lambda x: x + 1)), content_sha256(traced(lambda x: x - 1))
    assert one is None or one != other
    assert content_sha256(torch.jit.trace(lambda x: 2 * x, torch.ones(3))) is None


def session():
    """A network in a runtime of another language."""
    onnx, runtime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    shape = [1, 2]
    value = functools.partial(
        onnx.helper.make_tensor_value_info, elem_type=onnx.TensorProto.FLOAT, shape=shape
    )
    node = onnx.helper.make_node("Relu", ["x"], ["y"])
    graph = onnx.helper.make_graph([node], "net", [value("x")], [value("y")])
    opset = [onnx.helper.make_opsetid("", 13)]
    model = onnx.helper.make_model(graph, opset_imports=opset, ir_version=8)
    return runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


@pytest.mark.parametrize(
    "make",
    [
        session,
        threading.Lock,
        lambda: np.array([object()], dtype=object),
        lambda: (number for number in range(3)),
        Path(os.devnull).open,
    ],
    ids=["onnxruntime", "lock", "objects", "generator", "file"],
)
def test_what_has_no_content_that_can_be_read_is_unknown(make):
    handle = make()

    class Holder:
        def __init__(self):
            self.handle = handle

        def __call__(self, y, A):
            return y

    try:
        assert content_sha256(handle) is None
        assert content_sha256(Holder()) is None
        assert content_sha256(lambda y, A: handle) is None
    finally:
        if hasattr(handle, "close"):
            handle.close()


def test_helpers_that_share_helpers_are_looked_at_once():
    layers = ["def f0(y):\n    return y"]
    layers += [f"def f{n}(y):\n    return f{n - 1}(y) + f{n - 1}(2 * y)" for n in range(1, 40)]
    top = "\nf = f39"  # some 2 ** 39 ways down
    one, other = "\n".join(layers), "\n".join(layers).replace("return y\n", "return -y\n")
    assert content_sha256(function(one + top)) == content_sha256(function(one + top)) is not None
    assert content_sha256(function(one + top)) != content_sha256(function(other + top))
