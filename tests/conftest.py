"""What all tests rely on: one thread, and Ctrl-C that arrives."""

import signal

import torch

# Small tensors gain nothing from more threads, and two wait for each other on a busy machine.
torch.set_num_threads(1)

# A shell starts background jobs with Ctrl-C ignored, and processes that tests start inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
