"""The five phase services; each stands alone on chassis and pipeline.v1."""
