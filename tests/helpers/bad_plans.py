"""Plans that are wrong in themselves."""

from __future__ import annotations

import numpy as np

from tests.helpers.spoiling import Case, array, folder_as_plan, text, without_plan

PLANS = [
    Case("no file", ["plan.yaml", "got nothing there", "shaketable init"], spoil=without_plan),
    Case("a folder", ["Expected a plan file, got a folder"], spoil=folder_as_plan),
    Case("a binary file", ["UTF-8"], spoil=text(b"\x89PNG\r\n\x1a\n\xff\xfe")),
    Case("broken YAML", ["plan.yaml:2", "Expected YAML"], spoil=text("network:\n\tzoo: deep-mri\n")),
    Case("an empty file", ["got an empty file", "network, images and probes"], spoil=text("")),
    Case("a list", ["plan.yaml:1", "got a list"], spoil=text("- network\n- images\n")),
    Case(
        "a field twice", ["plan.yaml:3: seed", "every field once", "line 1"],
        spoil=text("seed: 1\nnetwork: {zoo: deep-mri}\nseed: 2\n"),
        line="seed: 2",
    ),
    Case(
        "a plan inside itself", ["contains itself"],
        spoil=text("network: &again\n  arguments: *again\n"),
        line="network: &again",
    ),
    Case(
        "an unknown field", ["prob", "did you mean 'probes'?"], changes={"prob": {}}, line="prob:",
    ),
    Case(
        "an unknown field deep inside", ["probes.worst_case.radius", "did you mean 'radii'?"],
        changes={"probes.worst_case.radius": 0.02}, line="radius:",
    ),
    Case(
        "a missing part", ["images", "Expected the field 'images', got none"],
        changes={"images": None},
    ),
    Case(
        "a word for a number", ["n_gradients", "a whole number, got 'many'"],
        changes={"probes.worst_case.search.n_gradients": "many"}, line="n_gradients:",
    ),
    Case(
        "a fraction for a count", ["n_random", "a whole number, got 1.5"],
        changes={"probes.worst_case.n_random": 1.5}, line="n_random:",
    ),
    Case(
        "a rate above one", ["map.sampling.rate", "at most 1", "got 1.3"],
        changes={"map.sampling.rate": 1.3}, line="rate:",
    ),
    Case(
        "a rate below the centre", ["map.sampling", "between 0.125", "got 0.05"],
        changes={"map.sampling.rate": 0.05}, line="sampling:",
    ),
    Case(
        "radii out of order", ["radii", "increasing", "(0.02, 0.01)"],
        changes={"probes.worst_case.radii": [0.02, 0.01]}, line="radii:",
    ),
    Case(
        "a radius that is no number", ["radii.1", "finite number"],
        changes={"probes.worst_case.radii": [0.01, float("nan")]}, line="nan",
    ),
    Case(
        "an unknown pattern", ["pattern", "did you mean 'poisson-disc'?"],
        changes={"map.sampling.pattern": "poisson-disk"}, line="pattern:",
    ),
    Case(
        "an unknown kind of map", ["map.type", "did you mean 'fourier'?"],
        changes={"map": {"type": "fourrier"}}, line="type:",
    ),
    Case(
        "an unknown domain", ["domain", "did you mean 'image'?"],
        changes={"probes.worst_case.domain": "images"}, line="domain:",
    ),
    Case(
        "two networks in one", ["network", "either zoo or object"],
        changes={"network.zoo": "deep-mri"}, line="network:",
    ),
    Case(
        "an unknown reference method", ["baselines", "did you mean 'total-variation'?"],
        changes={"baselines": {"total-variaton": {}}}, line="total-variaton",
    ),
    Case(
        "a reference method named as the network", ["network.name", "a name of its own"],
        changes={"network.name": "total-variation"}, line="name:",
    ),
    Case(
        "wavelets deeper than the image", ["baselines.wavelet-l1", "32"],
        changes={"baselines": {"wavelet-l1": {"levels": 6}}}, line="wavelet-l1",
    ),
    Case(
        "nothing to do", ["probes", "at least one probe", "worst_case"],
        changes={"probes": {}}, line="probes:",
    ),
    Case(
        "one domain twice", ["worst_case", "every domain once"],
        changes={"probes": {"worst_case": [{"radii": [0.01]}, {"radii": [0.02]}]}},
        line="worst_case:",
    ),
    Case(
        "more samples of a matrix", ["probes.sampling", "a map with a sampling pattern"],
        changes={
            "map": {"type": "matrix", "file": "eye.npy"}, "baselines": {},
            "probes": {"sampling": {"rates": [0.5, 0.7]}},
        },
        spoil=array(np.eye(32 * 32, dtype=np.float32), "eye.npy"), line="sampling:",
    ),
    Case(
        "an unknown detail", ["details", "did you mean 'heart'?"],
        changes={"probes": {"structural": {"details": ["spade", "hart"]}}}, line="- hart",
    ),
    Case(
        "settings of a network the paper did not search", ["search", "got 'dagan'"],
        changes={"probes.worst_case.search": {"method": "momentum-ascent", "published": "dagan"}},
        line="published:",
    ),
    Case(
        "a gradient search of a black box", ["probes.worst_case", "differentiable: false"],
        changes={"network.differentiable": False}, line="worst_case:",
    ),
]  # fmt: skip
