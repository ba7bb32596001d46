"""Patterns: what kinds of product the templates can build, and which words of an idea call for them."""
