"""Pure reading of an idea: normalisation, profile and claims, shared by every server; no I/O, no model."""
