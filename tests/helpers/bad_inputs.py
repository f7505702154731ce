"""Every way to be wrong that is tested: plans, images, maps, weights, networks, commands."""

from __future__ import annotations

import numpy as np
import torch

from tests.helpers.bad_plans import PLANS
from tests.helpers.small_plan import phantoms
from tests.helpers.spoiling import (
    Case,
    another_run_in_out,
    array,
    colour_png,
    files_in_out,
    junk_in_out,
    module,
    state,
    text,
    two_sizes,
)

FOURIER = {"type": "fourier"}
MINE = {"object": "mine:f"}
BLANK = np.zeros((32, 32), dtype=np.float32)

IMAGES = [
    Case(
        "no such file", ["images.path", "did you mean 'images.npy'?"],
        changes={"images.path": "image.npy"}, line="path:",
    ),
    Case("a damaged file", ["images.path", "damaged"], spoil=text(b"\x93NUMPY\x01", "images.npy")),
    Case(
        "a file of another kind", ["images.path", "scan.tiff"], changes={"images.path": "scan.tiff"},
        spoil=text(b"II*\x00", "scan.tiff"), line="path:",
    ),
    Case(
        "pickled objects", ["images.path", "pickled"],
        spoil=array(np.array([{"a": 1}, None], dtype=object)), line="path:",
    ),
    Case(
        "NaN in an image", ["images.path", "1 that are NaN"],
        spoil=array(np.where(np.arange(1024).reshape(32, 32) == 7, np.nan, 1.0)), line="path:",
    ),
    Case("an empty image", ["images.path", "something to see"], spoil=array(BLANK), line="path:"),
    Case(
        "channels as an axis", ["images.path", "(2, 32, 32, 2)", "one complex array"],
        spoil=array(np.ones((2, 32, 32, 2))), line="path:",
    ),
    Case(
        "images of two sizes", ["images.path", "one shape", "(32, 32)", "(16, 16)"],
        changes={"images.path": "many"}, spoil=two_sizes, line="path:",
    ),
    Case(
        "slices beyond the end", ["images", "between 0 and 1, got 9"],
        changes={"images.slices": [0, 9]}, line="path:",
    ),
    Case(
        "slices as a word", ["images.slices", "'10:40:3'"], changes={"images.slices": "all"},
        line="slices:",
    ),
    Case(
        "a colour photograph", ["images.path", "grey PNG", "RGB"],
        changes={"images.path": "photo.png"}, spoil=colour_png, line="path:",
    ),
    Case(
        "complex images called real", ["images.real", "Expected real images"],
        changes={"images.real": True}, spoil=array(phantoms() * (1 + 1j)), line="real:",
    ),
    Case(
        "a key that is not there", ["images.path", "did you mean 'slices'?"],
        changes={"images.path": "all.npz", "images.key": "slice"},
        spoil=lambda folder: np.savez(folder / "all.npz", slices=phantoms()), line="path:",
    ),
    Case(
        "zoo images for another network", ["images.zoo", "a network of the zoo"],
        changes={"images": {"zoo": "test"}}, line="zoo:",
    ),
]  # fmt: skip

MAPS = [
    Case(
        "no such mask", ["map.mask", "did you mean 'mask.npy'?"],
        changes={"map": {**FOURIER, "mask": "mask.np"}},
        spoil=array(np.eye(32), "mask.npy"), line="mask:",
    ),
    Case(
        "a mask of another size", ["map.mask", "(32, 32), got (16, 16)"],
        changes={"map": {**FOURIER, "mask": "mask.npy"}},
        spoil=array(np.eye(16), "mask.npy"), line="mask:",
    ),
    Case(
        "a mask of weights", ["map.mask", "zeros and ones"],
        changes={"map": {**FOURIER, "mask": "mask.npy"}},
        spoil=array(np.full((32, 32), 0.5), "mask.npy"), line="mask:",
    ),
    Case(
        "a mask that samples nothing", ["map.mask", "at least one position"],
        changes={"map": {**FOURIER, "mask": "mask.npy"}}, spoil=array(BLANK, "mask.npy"),
        line="mask:",
    ),
    Case(
        "a mask and a pattern", ["map", "either sampling or mask"],
        changes={"map.mask": "mask.npy"}, line="map:",
    ),
    Case(
        "a matrix for other images", ["map.file", "1024 columns", "got 100"],
        changes={"map": {"type": "matrix", "file": "m.npy"}},
        spoil=array(np.ones((10, 100)), "m.npy"), line="file:",
    ),
    Case(
        "an object that is no map", ["map.object", "without image_shape", "adjoint"],
        changes={"map": {"type": "object", "object": "mine:make"}},
        spoil=module("def make():\n    return object()\n"), line="mine:make",
    ),
    Case(
        "a wrong adjoint", ["adjoint"], changes={
            "map": {"type": "object", "object": "mine:A"}, "baselines": {}
        },
        spoil=module("""
            class Map:
                image_shape = data_shape = (32, 32)
                sampled = None
                def __call__(self, image):
                    return torch.fft.fft2(image)
                def adjoint(self, data):
                    return torch.fft.ifft2(data)
            A = Map()
        """),
    ),
]  # fmt: skip

WEIGHTS = [
    Case(
        "no such weights", ["network.weights", "did you mean 'weights.pt'?"],
        changes={"network.weights": "weight.pt"}, spoil=state({}), line="weights:",
    ),
    Case(
        "weights with code in them", ["network.weights", "pickled code"],
        changes={"network.weights": "weights.pt"},
        spoil=lambda folder: torch.save(torch.nn.Linear(1, 1), folder / "weights.pt"),
        line="weights:",
    ),
    Case(
        "damaged safetensors", ["network.weights", "damaged"],
        changes={"network.weights": "w.safetensors"},
        spoil=text(b"\xff" * 40, "w.safetensors"), line="weights:",
    ),
    Case(
        "a tensor, no state dictionary", ["network.weights", "state dictionary", "Tensor"],
        changes={"network.weights": "weights.pt"},
        spoil=lambda folder: torch.save(torch.ones(3), folder / "weights.pt"), line="weights:",
    ),
    Case(
        "a surplus tensor", ["network.weights", "unknown 'head.bias'"],
        changes={"network.weights": "weights.pt"},
        spoil=state({"head.bias": torch.zeros(1)}), line="weights:",
    ),
    Case(
        "weights of a wider network", ["network.weights", "'first.weight'", "(8, 2, 3, 3)"],
        changes={"network.weights": "weights.pt"},
        spoil=state({"first.weight": torch.zeros(8, 2, 3, 3)}), line="weights:",
    ),
    Case(
        "weights that diverged", ["network.weights", "NaN or infinity in 'last.bias'"],
        changes={"network.weights": "weights.pt"},
        spoil=state({"last.bias": torch.full((2,), torch.nan)}), line="weights:",
    ),
    Case(
        "weights for a function", ["network.weights", "a torch module", "function"],
        changes={"network": {"object": "networks:zero_filled", "weights": "weights.pt"}},
        spoil=state({}), line="weights:",
    ),
]  # fmt: skip

NETWORKS = [
    Case(
        "an unknown network of the zoo", ["network.zoo", "did you mean 'deep-mri'?"],
        changes={"network": {"zoo": "deepmri"}}, line="zoo:",
    ),
    Case(
        "a name without a colon", ["network.object", "'package.module:name'"],
        changes={"network": {"object": "networks.Net"}}, line="object:",
    ),
    Case(
        "no such module", ["network.object", "did you mean 'networks'?"],
        changes={"network.object": "network:Net"}, line="object:",
    ),
    Case(
        "no such name in it", ["network.object", "did you mean 'Net'?"],
        changes={"network.object": "networks:Nett"}, line="object:",
    ),
    Case(
        "a module with a mistake in it", ["network.object", "SyntaxError"],
        changes={"network": MINE}, spoil=text("def f(y, A:\n", "mine.py"), line="object:",
    ),
    Case(
        "a module that needs another", ["network.object", "no_such_library", "install"],
        changes={"network": MINE}, spoil=text("import no_such_library\n", "mine.py"), line="object:",
    ),
    Case(
        "a class without its arguments", ["network.object", "fit mine:F", "depth"],
        changes={"network": {"object": "mine:F"}},
        spoil=module("class F(torch.nn.Module):\n    def __init__(self, depth): pass\n"),
        line="object:",
    ),
    Case(
        "an argument too many", ["network.arguments", "width"],
        changes={"network.arguments": {"width": 9}}, line="arguments:",
    ),
    Case(
        "arguments for a function", ["network.arguments", "a class"],
        changes={"network": {"object": "networks:zero_filled", "arguments": {"width": 9}}},
        line="arguments:",
    ),
    Case(
        "a number", ["network.object", "callable f(y, A)", "int"],
        changes={"network": {"object": "networks:number"}}, line="object:",
    ),
    Case(
        "a function of one argument", ["network.object", "two arguments"],
        changes={"network": {"object": "networks:one_argument"}}, line="object:",
    ),
    Case(
        "a network that raises", ["Check 'shape' failed", "ValueError", "no such size"],
        changes={"network": MINE},
        spoil=module("def f(y, A):\n    raise ValueError('no such size')\n"),
    ),
    Case(
        "an image of another shape", ["Check 'shape' failed", "(1, 32, 32), got (1, 1, 32, 32)"],
        changes={"network": MINE}, spoil=module("def f(y, A):\n    return A.adjoint(y)[None]\n"),
    ),
    Case(
        "NaN in the output", ["Check 'finite output' failed"],
        changes={"network": MINE}, spoil=module("def f(y, A):\n    return A.adjoint(y) / 0\n"),
    ),
    Case(
        "dice in the network", ["Check 'deterministic' failed"],
        changes={"network": MINE},
        spoil=module("def f(y, A):\n    return A.adjoint(y) * (1 + torch.rand(1))\n"),
    ),
    Case(
        "a constant network", ["Check 'response near the image' failed", "useless"],
        changes={"network": MINE},
        spoil=module("def f(y, A):\n    return torch.full_like(y, 0.3)\n"),
    ),
    Case(
        "a network in training mode", ["Check 'evaluation mode' failed", ".eval()"],
        changes={"network": MINE},
        spoil=module("""
            class F(torch.nn.Module):
                def __init__(self):
                    super().__init__()
                    self.norm = torch.nn.BatchNorm2d(1)
                def forward(self, y, A):
                    return A.adjoint(y) + 0 * self.norm(A.adjoint(y).abs()[:, None])[:, 0]
            f = F()
        """),
    ),
    Case(
        "a gradient that is cut off", ["Check 'gradient' failed", "detach"],
        changes={"network": MINE}, spoil=module("def f(y, A):\n    return A.adjoint(y.detach())\n"),
    ),
]  # fmt: skip

COMMANDS = [
    Case(
        "a file in the way of figures", ["the file 'images.npy'"],
        command=("paper", "1", "--out", "images.npy"),
    ),
    Case(
        "a file in the way of a training", ["the file 'images.npy'"],
        command=("zoo", "train", "deep-mri", "--out", "images.npy/in"),
    ),
    Case(
        "a report without a name", ["got the folder '.'"],
        command=("report", "out", "--out", ""), spoil=another_run_in_out,
    ),
    Case("a marker that is no JSON", ["run.json that cannot be read"], spoil=junk_in_out),
    Case(
        "a plan that is nested too deeply", ["nested too deeply"],
        command=("check", "deep.yaml"), spoil=text(b"[" * 4000, "deep.yaml"),
    ),
    Case("files in the way of a run", ["got other files"], spoil=files_in_out),
    Case("another run in the way", ["got a run with another plan"], spoil=another_run_in_out),
    Case("a report of nothing", ["results.json"], command=("report", "nowhere")),
    Case("a show of nothing", ["results.json"], command=("show", "nowhere")),
    Case(
        "an unknown probe", ["(structural), got 'worst'"], command=("show", "out", "worst"),
        spoil=another_run_in_out,
    ),
    Case("a plan in the way of init", ["plan.yaml", "exists"], command=("init", "plan.yaml")),
    Case("a folder missing for init", ["got none"], command=("init", "no/where.yaml")),
    Case("an unknown verb", ["No such command 'trian'"], command=("trian",)),
    Case("an option missing", ["Missing option '--out'"], command=("run", "plan.yaml")),
    Case(
        "an unknown network to train", ["did you mean 'deep-mri'?"],
        command=("zoo", "train", "deep-mr", "--out", "out"),
    ),
    Case(
        "no medical images to train on", ["--images"], command=("zoo", "train", "med-50", "--out", "out")
    ),
    Case(
        "no images to train on", ["nowhere.npy"],
        command=("zoo", "train", "deep-mri", "--out", "out", "--images", "nowhere.npy"),
    ),
    Case(
        "a file to import that is another network's", ["images.npy"],
        command=("zoo", "import", "deep-mri", "images.npy", "--out", "new.safetensors"),
    ),
]  # fmt: skip

CASES = {
    f"{kind}: {case.name}": case
    for kind, cases in (
        ("plan", PLANS), ("image", IMAGES), ("map", MAPS), ("weights", WEIGHTS),
        ("network", NETWORKS), ("command", COMMANDS),
    )
    for case in cases
}  # fmt: skip
