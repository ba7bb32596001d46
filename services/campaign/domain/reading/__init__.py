"""What counts mean: posterior, sequential and planned test, checks of the experiment, the decision. Pure."""
