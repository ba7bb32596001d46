"""One file an upstream: its routes, its answer when it has nothing, and its own ways of saying no."""
