"""The performance suite: `python -m bench` measures, it asserts nothing."""
