"""Training, the same for every network: recipe, learner, loop, checkpoints."""
