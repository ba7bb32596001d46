"""Advertising, analytics and hosting platforms behind one Protocol."""
