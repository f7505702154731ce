"""Test any callable f(y, A) in ten lines: here the zero-filled image, smoothed a little."""

import torch

import shaketable as st

rows, columns = torch.meshgrid(torch.linspace(-1, 1, 64), torch.linspace(-1, 1, 64), indexing="ij")
inside = (rows / 0.85) ** 2 + (columns / 0.7) ** 2 < 1
images = torch.stack([inside * (1 + 0.3 * torch.cos(k * rows + 9 * columns)) for k in (3, 5, 7)])

# Everything above makes images; what follows is the test.
pattern = st.maps.sampling.cartesian_variable_density((64, 64), seed=0, n_center=6)
A = st.FourierMap(pattern.mask(1 / 3))


def f(y, A):
    image = A.adjoint(y)
    return 0.8 * image + 0.1 * (image.roll(1, -1) + image.roll(-1, -1))


problem = st.Problem(forward=A, reconstruct=f, name="smoothed")
worst_case = st.WorstCase(radii=(0.01, 0.02), search=st.Search(budget=st.Budget(n_gradients=20)))
plan = st.Plan(
    probes=(worst_case, st.Structural(details=("heart", "lesion"))),
    baselines={"total-variation": st.sparse.TotalVariation()},
)
run = st.run(problem, images, plan, out="runs/bring-your-own", seed=0)
print(*(f"{v['probe']}: {v['verdict']}. {v['statement']}" for v in run.verdicts), sep="\n")
print(run.report())
