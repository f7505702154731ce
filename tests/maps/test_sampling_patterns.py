"""Every sampling pattern: exact counts, nesting, seeds, the centre; then each on its own."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from shaketable.errors import InputError
from shaketable.maps.sampling import (
    SamplingSequence,
    cartesian_variable_density,
    equispaced_lines,
    gaussian_columns,
    poisson_disc,
    radial_lines,
)
from shaketable.maps.sampling.poisson import poisson_order
from shaketable.maps.sampling.sequence import centre_indices

Shape = tuple[int, int]

# Each makes a pattern from (shape, seed, centre); the centre fits all shapes that are tried.
PATTERNS: dict[str, Callable[[Shape, int, int], SamplingSequence]] = {
    "cartesian": lambda shape, seed, n: cartesian_variable_density(shape, seed=seed, n_center=n),
    "cartesian columns": lambda shape, seed, n: cartesian_variable_density(
        shape, seed=seed, n_center=n, acceleration=6, lines="columns"
    ),
    "gaussian": lambda shape, seed, n: gaussian_columns(shape, seed=seed, n_center=n),
    "narrow gaussian": lambda shape, seed, n: gaussian_columns(
        shape, seed=seed, n_center=n, width=0.004
    ),
    "equispaced": lambda shape, seed, n: equispaced_lines(shape, rate=0.8, n_center=n),
    "poisson": lambda shape, seed, n: poisson_disc(shape, seed=seed, n_center=n),
    "radial": lambda shape, seed, n: radial_lines(shape, first_angle=seed / 1e3),
}
RANDOM = ("cartesian", "cartesian columns", "gaussian", "narrow gaussian", "poisson")

every_pattern = pytest.mark.parametrize("name", PATTERNS)
shapes = st.tuples(st.integers(5, 24), st.integers(5, 24))
seeds = st.integers(0, 2**31)
centres = st.integers(0, 4)
rates = st.floats(0, 1)
quick = settings(max_examples=25, deadline=None)


@every_pattern
@quick
@given(shape=shapes, seed=seeds, n_center=centres, rate=rates)
def test_the_count_of_units_is_exact(
    name: str, shape: Shape, seed: int, n_center: int, rate: float
) -> None:
    sequence = PATTERNS[name](shape, seed, n_center)
    height, width = shape
    n_units = {"rows": height, "columns": width, "points": height * width}[sequence.unit]
    per_unit = height * width // n_units
    rate = max(rate, sequence.lowest_rate)
    mask = sequence.mask(rate)
    assert mask.dtype == torch.bool
    assert tuple(mask.shape) == shape
    assert int(mask.sum()) == round(rate * n_units) * per_unit
    if sequence.unit == "rows":
        assert torch.equal(mask, mask[:, :1].expand(shape))
    if sequence.unit == "columns":
        assert torch.equal(mask, mask[:1].expand(shape))


@every_pattern
@quick
@given(shape=shapes, seed=seeds, n_center=centres, first=rates, second=rates)
def test_a_higher_rate_only_adds(
    name: str, shape: Shape, seed: int, n_center: int, first: float, second: float
) -> None:
    sequence = PATTERNS[name](shape, seed, n_center)
    low, high = sorted(max(rate, sequence.lowest_rate) for rate in (first, second))
    assert bool((sequence.mask(low) <= sequence.mask(high)).all())
    assert bool(sequence.mask(1.0).all())


@every_pattern
@quick
@given(shape=shapes, seed=seeds, n_center=centres)
def test_the_centre_is_in_every_mask(name: str, shape: Shape, seed: int, n_center: int) -> None:
    sequence = PATTERNS[name](shape, seed, n_center)
    mask = sequence.mask(sequence.lowest_rate)
    if sequence.unit == "points":
        n_center = 1 if name == "radial" else n_center
        rows, columns = (centre_indices(length, n_center) for length in shape)
        assert bool(mask[np.ix_(rows, columns)].all())
        return
    across = mask[:, 0] if sequence.unit == "rows" else mask[0]
    assert bool(across[centre_indices(len(across), n_center)].all())


@pytest.mark.parametrize("name", RANDOM)
def test_the_seed_decides_the_pattern(name: str) -> None:
    first, second, other = (PATTERNS[name]((32, 32), seed, 4) for seed in (1, 1, 2))
    assert torch.equal(first.rank, second.rank)
    assert not torch.equal(first.rank, other.rank)
    assert first.seed == 1


@pytest.mark.parametrize("name", ["equispaced", "radial"])
def test_what_is_not_random_has_no_seed(name: str) -> None:
    assert PATTERNS[name]((32, 32), 0, 4).seed is None


@every_pattern
def test_describe_tells_how_to_make_it_again(name: str) -> None:
    described = PATTERNS[name]((16, 12), 5, 2).describe()
    assert described["shape"] == [16, 12]
    assert described["pattern"]
    assert described["seed"] in (5, None)
    assert len(described) > 5


@every_pattern
def test_impossible_rates_are_refused(name: str) -> None:
    sequence = PATTERNS[name]((16, 16), 0, 4)
    for rate in (0.0, -0.5, 1.01, float("nan"), sequence.lowest_rate * 0.4):
        with pytest.raises(InputError, match="Expected a sampling rate between"):
            sequence.mask(rate)


@every_pattern
def test_impossible_grids_are_refused(name: str) -> None:
    for shape in ((0, 8), (8,), (8, 8, 8), (8.5, 8)):
        with pytest.raises(InputError, match=r"grid of shape \(H, W\)"):
            PATTERNS[name](shape, 0, 0)


@pytest.mark.parametrize("name", RANDOM)
def test_impossible_seeds_are_refused(name: str) -> None:
    for seed in (-1, 0.5, None, True):
        with pytest.raises(InputError, match="as seed, got"):
            PATTERNS[name]((8, 8), seed, 0)


@pytest.mark.parametrize("name", [name for name in PATTERNS if name != "radial"])
def test_more_centre_lines_than_lines_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="centre lines"):
        PATTERNS[name]((8, 8), 0, 9)


def test_centre_lines_are_the_lowest_frequencies() -> None:
    assert centre_indices(16, 4).tolist() == [0, 15, 1, 14]
    assert sorted(centre_indices(7, 3).tolist()) == [0, 1, 6]
    assert centre_indices(5, 0).tolist() == []


# Cartesian variable density


@pytest.mark.parametrize(
    ("n_lines", "acceleration", "count"),
    [(256, 3, 85), (256, 4, 64), (128, 3, 43), (128, 4, 32), (64, 3, 21)],
)
def test_cartesian_counts_of_the_usual_accelerations(
    n_lines: int, acceleration: int, count: int
) -> None:
    sequence = cartesian_variable_density((n_lines, 8), seed=0, acceleration=acceleration)
    assert int(sequence.mask(1 / acceleration)[:, 0].sum()) == count


def test_the_first_line_outside_the_centre_is_drawn_by_the_stated_density() -> None:
    n_lines, acceleration, n_center, n_draws = 16, 3.0, 2, 6000
    k = np.arange(n_lines)
    density = np.exp(-(0.5 / (n_lines / 10) ** 2) * (k - n_lines / 2) ** 2)
    density += (n_lines / (2 * acceleration)) / n_lines
    density[7:9] = 0
    expected = density / density.sum()
    counts = np.zeros(n_lines)
    for seed in range(n_draws):
        sequence = cartesian_variable_density(
            (n_lines, 1), seed=seed, acceleration=acceleration, n_center=n_center
        )
        line = int((sequence.rank[:, 0] == n_center).nonzero())
        counts[(line + n_lines // 2) % n_lines] += 1
    assert counts[7:9].sum() == 0
    spread = np.sqrt(n_draws * expected * (1 - expected))
    # Sixteen fixed numbers, so four standard deviations are ample where the density is right.
    assert (np.abs(counts - n_draws * expected) <= 4 * spread).all()


def test_cartesian_settings_are_checked() -> None:
    with pytest.raises(InputError, match=r"acceleration of at least 1, got 0\.5"):
        cartesian_variable_density((8, 8), seed=0, acceleration=0.5, n_center=0)
    with pytest.raises(InputError, match='lines="rows" or lines="columns"'):
        cartesian_variable_density((8, 8), seed=0, lines="diagonals")


# Gaussian columns


def test_gaussian_columns_crowd_around_dc_as_wide_as_asked() -> None:
    def mean_square_frequency(width: float) -> float:
        frequency = torch.fft.fftfreq(200)
        squares = [
            frequency[gaussian_columns((1, 200), seed=seed, width=width, n_center=0).mask(0.01)[0]]
            for seed in range(200)
        ]
        return float(torch.cat(squares).square().mean())

    assert mean_square_frequency(0.1) == pytest.approx(0.1**2, rel=0.15)
    assert mean_square_frequency(0.05) == pytest.approx(0.05**2, rel=0.15)


def test_gaussian_settings_are_checked() -> None:
    with pytest.raises(InputError, match="positive width, got 0"):
        gaussian_columns((8, 8), seed=0, width=0, n_center=0)


# Equispaced lines


@given(length=st.integers(8, 120), n_center=st.integers(0, 8), rate=st.floats(0.15, 1))
@quick
def test_equispaced_lines_are_even_at_the_rate_they_are_made_for(
    length: int, n_center: int, rate: float
) -> None:
    count = round(rate * length)
    if count < max(n_center, 1):
        return
    mask = equispaced_lines((length, 1), rate=rate, n_center=n_center).mask(rate)[:, 0]
    centre = centre_indices(length, n_center)
    outside = np.setdiff1d(np.arange(length), centre)
    places = np.flatnonzero(mask.numpy()[outside])
    assert len(places) == count - n_center
    if len(places) > 1:
        assert np.ptp(np.diff(places)) <= 1


def test_every_fourth_line_where_it_divides() -> None:
    mask = equispaced_lines((64, 1), rate=0.25, n_center=0).mask(0.25)[:, 0]
    assert mask.nonzero().flatten().tolist() == list(range(2, 64, 4))


def test_refinement_halves_the_largest_gaps() -> None:
    sequence = equispaced_lines((64, 1), rate=1 / 8, n_center=0)
    lines = sequence.mask(1 / 4)[:, 0].nonzero().flatten()
    assert lines.diff().tolist() == [4] * 15


def test_gaps_are_periodic_as_fourier_space_is() -> None:
    sequence = equispaced_lines((64, 1), rate=1.0, n_center=0)
    assert sequence.mask(2 / 64)[:, 0].nonzero().flatten().tolist() == [0, 32]
    assert sequence.mask(4 / 64)[:, 0].nonzero().flatten().tolist() == [0, 16, 32, 48]


def test_equispaced_lines_of_the_papers_parallel_mri_are_58_of_368() -> None:
    mask = equispaced_lines((640, 368), rate=58 / 368, n_center=28, lines="columns").mask(58 / 368)
    lines = torch.fft.fftshift(mask[0]).nonzero().flatten()
    assert len(lines) == 58
    centre = lines[(lines >= 184 - 14) & (lines < 184 + 14)]
    assert centre.tolist() == list(range(170, 198))
    outside = lines[(lines < 170) | (lines >= 198)]
    gaps = torch.diff(torch.cat([outside[outside >= 198], outside[outside < 170] + 368]))
    assert set(gaps.tolist()) == {11, 12}


def test_equispaced_rates_too_low_for_the_centre_are_refused() -> None:
    for rate in (0.05, 0.0, 1.5):
        with pytest.raises(InputError, match=r"Expected a rate between 0\.125"):
            equispaced_lines((64, 64), rate=rate, n_center=8)


# Poisson disc


@pytest.mark.parametrize("slope", [0.0, 2.0])
def test_every_prefix_keeps_its_distance(slope: float) -> None:
    height, width = 20, 17
    centre = np.array([0, 1, width, width + 1])
    order, radii = poisson_order((height, width), centre, slope, np.random.default_rng(0))
    assert sorted(order) == list(range(height * width))
    assert (np.diff(radii[len(centre) :]) <= 0).all()
    points = order[len(centre) :]
    offset = points[:, None] // width - points[None, :] // width
    vertical = np.minimum(np.abs(offset), height - np.abs(offset))
    offset = points[:, None] % width - points[None, :] % width
    horizontal = np.minimum(np.abs(offset), width - np.abs(offset))
    row = np.minimum(points // width, height - points // width)
    column = np.minimum(points % width, width - points % width)
    share = np.hypot(row / (height / 2), column / (width / 2))
    needed = radii[len(centre) :] * (1 + slope * share)
    distance = np.hypot(vertical, horizontal)
    later, earlier = np.tril_indices(len(points), -1)
    assert (distance[later, earlier] >= needed[later] - 1e-9).all()


def test_uniform_discs_are_far_apart_and_fill_the_grid() -> None:
    mask = poisson_disc((64, 64), seed=0, slope=0, n_center=0).mask(0.08)
    points = mask.nonzero().numpy()
    tree = cKDTree(points, boxsize=(64, 64))
    nearest = tree.query(points, k=2)[0][:, 1]
    grid = np.argwhere(np.ones((64, 64)))
    hole = tree.query(grid)[0].max()
    # Of 12.5 positions per point, a square lattice would make 3.5; random draws make 1.
    assert nearest.min() >= 2.2
    assert hole <= 2 * nearest.min()


def test_a_slope_makes_the_centre_denser() -> None:
    mask = torch.fft.fftshift(poisson_disc((64, 64), seed=0, slope=3, n_center=0).mask(0.15))
    inner, outer = mask[24:40, 24:40].float().mean(), mask[:8].float().mean()
    assert inner > 3 * outer


def test_poisson_settings_are_checked() -> None:
    with pytest.raises(InputError, match="slope of at least 0, got -1"):
        poisson_disc((8, 8), seed=0, slope=-1, n_center=0)


# Radial lines


def test_the_first_spokes_are_the_axes_they_are_asked_to_be() -> None:
    along = radial_lines((8, 8)).mask(8 / 64)
    assert along.nonzero()[:, 0].tolist() == [0] * 8
    down = radial_lines((8, 8), first_angle=np.pi / 2).mask(8 / 64)
    assert down.nonzero()[:, 1].tolist() == [0] * 8


def test_radial_points_lie_on_golden_angle_spokes() -> None:
    n_spokes, size = 12, 64
    rank = radial_lines((size, size)).rank
    frequency = np.fft.fftfreq(size) * size
    on_spokes = np.zeros((size, size), dtype=bool)
    for index in range(n_spokes):
        angle = np.deg2rad(111.24611797498108) * index
        steep = abs(np.sin(angle)) > abs(np.cos(angle))
        # Nearest grid point for every step along the longer side; half a step may round either way.
        for step in frequency:
            exact = step / np.tan(angle) if steep else step * np.tan(angle)
            for other in (np.ceil(exact - 0.5), np.floor(exact + 0.5)):
                row, column = (step, other) if steep else (other, step)
                if -size // 2 <= other < size // 2:
                    on_spokes[int(row), int(column)] = True
    n_points = int(on_spokes.sum())
    assert np.array_equal((rank < n_points).numpy(), on_spokes)


def test_a_line_that_is_cut_short_is_taken_from_the_middle() -> None:
    mask = radial_lines((9, 9)).mask(5 / 81)
    assert sorted(mask[0].nonzero().flatten().tolist()) == [0, 1, 2, 7, 8]


def test_radial_settings_are_checked() -> None:
    with pytest.raises(InputError, match="finite first angle"):
        radial_lines((8, 8), first_angle=float("nan"))
