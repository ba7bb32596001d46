"""Ports to models: sentence embeddings (`embedding`) and text (`text`). Both work without a key or a network."""
