"""Platforms that campaigns are set up on, replayed on loopback: they keep what was made and count every effect."""
