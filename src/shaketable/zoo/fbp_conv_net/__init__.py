"""FBPConvNet: Ell 50 and Med 50: the network, how it is trained, and its published file."""
