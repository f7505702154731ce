"""One thread: small tensors gain nothing from more, and two wait for each other on a busy machine."""

import torch

torch.set_num_threads(1)
