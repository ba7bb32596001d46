"""Measures what the project says of its own quality, against floors that a sceptic would name."""
