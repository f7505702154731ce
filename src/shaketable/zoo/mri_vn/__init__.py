"""MRI-VN: the network, how it is trained, and its published file."""
