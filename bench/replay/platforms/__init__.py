"""The platforms that campaigns are set up on, replayed: one module each."""
