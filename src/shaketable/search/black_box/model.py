"""An affine model of the response, fitted to the queries and kept group by group."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from shaketable.real_vectors import from_real_rows, real_rows
from shaketable.search.black_box.layout import Layout
from shaketable.search.black_box.probing_groups import ProbingGroups
from shaketable.search.landscape import Landscape


class ResponseModel:
    """``f(z) ≈ f(z₀) + Σ_c R_c D_c (z - z₀)_c``: directions D and responses R of every probing group c.

    A query returns a whole image, so one query gives the derivative along one direction of every
    group of a colour, and what was seen stays of use for all later steps.

    Parameters
    ----------
    layout, groups
        Of one image.
    point, output
        ``(1, ...)`` coordinates of the iterate, and the reconstruction there.
    """

    def __init__(
        self, layout: Layout, groups: ProbingGroups, point: Tensor, output: Tensor
    ) -> None:
        self.layout, self.groups = layout, groups
        self.point, self.output = point, output
        self.directions = groups.directions
        c, k, _ = groups.directions.shape
        self._n_outputs = real_rows(output).shape[1]
        shape = (c, k, groups.outputs.shape[1])
        self.responses = torch.zeros(shape, dtype=real_rows(output).dtype, device=output.device)

    @property
    def n_directions(self) -> int:
        """Directions of every group."""
        return self.directions.shape[1]

    def predict(self, coordinates: Tensor) -> Tensor:
        """The reconstruction at coordinates ``(1, ...)``; differentiable."""
        weights = self._weights(coordinates - self.point)
        return self.output + from_real_rows(self._spread(weights), self.output)

    def direction(self, colour: int, number: int) -> Tensor:
        """``(1, ...)`` coordinates: one direction in every group of a colour, together of norm 1."""
        chosen = self.groups.colour == colour
        template = self.layout.template
        whole = torch.zeros_like(real_rows(template))
        whole[0, self.groups.inputs[chosen].flatten()] = self.directions[chosen, number].flatten()
        norm = whole.norm()
        whole = whole / norm.clamp_min(torch.finfo(whole.dtype).tiny)
        return self.layout.coordinates(from_real_rows(whole, template))

    def set_response(self, colour: int, number: int, response: Tensor) -> None:
        """Take the response ``(1, *image_shape)`` to a direction, per unit of length, into account."""
        chosen = self.groups.colour == colour
        norm = self.directions[chosen, number].norm()
        seen = self._gathered(real_rows(response).to(self.responses.dtype)[0])[chosen]
        self.responses[chosen, number] = seen * norm

    def move(self, point: Tensor, output: Tensor) -> None:
        """A new iterate. The model changes as little as it can to explain the output there.

        That is a Broyden update (Math. Comp. 19, 1965, Eq. 4.5), shared by the groups whose responses
        overlap.
        """
        weights = self._weights(point - self.point)
        gap = real_rows(output - self.output)[0] - self._spread(weights)[0]
        size = weights.square().sum(1)
        total = torch.zeros(self._n_outputs + 1, dtype=gap.dtype, device=gap.device)
        total.index_add_(
            0, self.groups.outputs.flatten(),
            size[:, None].expand(self.groups.outputs.shape).flatten().to(gap.dtype),
        )  # fmt: skip
        share = gap / total[:-1].clamp_min(torch.finfo(gap.dtype).tiny)
        correction = weights[:, :, None] * self._gathered(share)[:, None]
        self.responses += torch.nan_to_num(correction)
        self.point, self.output = point, output

    def sort(self) -> None:
        """Rotate the directions of every group so that the most amplified come first."""
        gram = (self.responses @ self.responses.mT).double()
        vectors = torch.linalg.eigh(gram).eigenvectors.flip(2)
        turn = vectors.mT.to(self.directions.dtype)
        self.directions = turn @ self.directions
        self.responses = turn.to(self.responses.dtype) @ self.responses

    def _weights(self, step: Tensor) -> Tensor:
        """``(C, k)`` coefficients of a step."""
        laid_out = real_rows(self.layout.laid_out(step))[0]
        return torch.einsum("ckn,cn->ck", self.directions, laid_out[self.groups.inputs])

    def _spread(self, weights: Tensor) -> Tensor:
        """``(1, n_outputs)`` the response to coefficients."""
        responses = torch.einsum("ck,ckm->cm", weights, self.responses)
        total = torch.zeros(self._n_outputs + 1, dtype=responses.dtype, device=responses.device)
        total = total.index_add(0, self.groups.outputs.flatten(), responses.flatten())
        return total[None, :-1]

    def _gathered(self, row: Tensor) -> Tensor:
        """``(C, m)`` the entries of an output row around every group, zero outside the image."""
        return torch.cat([row, row.new_zeros(1)])[self.groups.outputs]


@dataclass(frozen=True, kw_only=True, eq=False)
class ModelLandscape(Landscape):
    """The landscape of the model: climbing it costs no query."""

    model: ResponseModel

    @classmethod
    def replacing(cls, landscape: Landscape, model: ResponseModel) -> ModelLandscape:
        """The landscape with the model in place of the reconstructor."""
        return cls(chain=landscape.chain, ball=landscape.ball, objective=landscape.objective,
                   reference=landscape.reference, model=model)  # fmt: skip

    def value(self, coordinates: Tensor) -> tuple[Tensor, Tensor]:
        """Predicted reconstruction and objective."""
        output = self.model.predict(coordinates)
        perturbation = self.ball.perturbation(coordinates)
        return output, self.objective(output, perturbation, self.reference)
