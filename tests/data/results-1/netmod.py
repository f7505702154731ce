import torch


def network(y, A):
    z = A.adjoint(y)
    return z + 0.3 * torch.tanh(3 * z.abs()) * z
