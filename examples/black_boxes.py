"""Search programs that give no gradients: NumPy, an ONNX model, another process.

All three hold the same small network: the zero-filled image minus a learned-looking correction, two
convolutions with a ReLU between them. In torch it would be searched with gradients; here every
program is only asked for reconstructions, and the torch version tells how much that finds.

    pip install onnx onnxruntime scipy
    python examples/black_boxes.py
"""

import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import helper, numpy_helper
from scipy.ndimage import correlate

import shaketable as st

SIZE, N_QUERIES, RADIUS = 32, 600, 0.03
numbers = np.random.default_rng(0)
FIRST = numbers.normal(size=(6, 1, 3, 3)).astype(np.float32)
LAST = (0.3 * numbers.normal(size=(1, 6, 3, 3))).astype(np.float32)
pattern = st.maps.sampling.cartesian_variable_density((SIZE, SIZE), seed=0, n_center=4)
A = st.FourierMap(pattern.mask(0.4))


def zero_filled(y, A):
    return A.adjoint(y).real.float()


# In torch, with gradients.
def in_torch(y, A):
    image = zero_filled(y, A)[:, None]
    hidden = torch.nn.functional.conv2d(image, torch.from_numpy(FIRST), padding=1).relu()
    return (image + torch.nn.functional.conv2d(hidden, torch.from_numpy(LAST), padding=1))[:, 0]


# A program in NumPy and SciPy.
def program(images):
    hidden = [
        np.maximum(
            sum(
                correlate(x, k, mode="constant") for x, k in zip(image[None], kernels, strict=True)
            ),
            0,
        )
        for image in images
        for kernels in FIRST
    ]
    hidden = np.stack(hidden).reshape(len(images), 6, SIZE, SIZE)
    corrections = [
        sum(correlate(h, k, mode="constant") for h, k in zip(one, LAST[0], strict=True))
        for one in hidden
    ]
    return images + np.stack(corrections)


# A file in the ONNX format.
def model():
    nodes = [
        helper.make_node("Conv", ["image", "first"], ["hidden"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["hidden"], ["active"]),
        helper.make_node("Conv", ["active", "last"], ["correction"], pads=[1, 1, 1, 1]),
        helper.make_node("Add", ["image", "correction"], ["reconstruction"]),
    ]
    shape = ["batch", 1, SIZE, SIZE]
    ends = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
        for name in ("image", "reconstruction")
    ]
    weights = [numpy_helper.from_array(FIRST, "first"), numpy_helper.from_array(LAST, "last")]
    graph = helper.make_graph(nodes, "correction", ends[:1], ends[1:], weights)
    versions = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=versions, ir_version=8).SerializeToString()


session = onnxruntime.InferenceSession(model())


def of_onnx(images):
    return session.run(None, {"image": images[:, None]})[0][:, 0]


# Another process, which reads images as raw numbers and writes reconstructions until its input ends.
def of_process(images):
    server.stdin.write(np.int64(len(images)).tobytes() + images.tobytes())
    server.stdin.flush()
    return np.frombuffer(server.stdout.read(images.nbytes), np.float32).reshape(images.shape).copy()


def serve():
    read, write = sys.stdin.buffer.read, sys.stdout.buffer.write
    while length := read(8):
        n = int(np.frombuffer(length, np.int64)[0])
        images = np.frombuffer(read(4 * n * SIZE**2), np.float32).reshape(n, SIZE, SIZE)
        write(program(images).astype(np.float32).tobytes())
        sys.stdout.buffer.flush()


def black_box(program):
    return st.Problem(
        forward=A, real=True, differentiable=False,
        reconstruct=lambda y, A: torch.from_numpy(program(zero_filled(y, A).numpy())),
    )  # fmt: skip


if sys.argv[1:] == ["serve"]:
    serve()
    sys.exit()
server = subprocess.Popen(
    [sys.executable, __file__, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
)
rows, columns = torch.meshgrid(*[torch.linspace(-1, 1, SIZE)] * 2, indexing="ij")
inside = (rows / 0.85) ** 2 + (columns / 0.7) ** 2 < 1
image = (inside * (1 + 0.3 * torch.cos(3 * rows + 9 * columns)))[None]

known = st.worst_case(st.Problem(forward=A, real=True, reconstruct=in_torch), image, radius=RADIUS)
print(f"torch, {int(known.n_gradients)} gradients: amplification {float(known.amplification):.3f}")
programs = {"NumPy": program, "ONNX": of_onnx, "another process": of_process}
for name, program_of in programs.items():
    found = st.worst_case_black_box(
        black_box(program_of), image, radius=RADIUS, search=st.BlackBox(n_queries=N_QUERIES)
    )
    share = float(found.amplification / known.amplification)
    print(f"{name}, {int(found.n_queries)} queries, {found.method}: amplification at least "
          f"{float(found.amplification):.3f}, {share:.0%} of it")  # fmt: skip
server.stdin.close()
server.wait()
