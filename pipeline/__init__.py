"""Startup Idea Pipeline: one idea in; a verdict, cited evidence, a deck, a smoke test and a tested MVP out.

Import what you need from its modules: `pipeline.main_pipeline_async` (the async SDK), `pipeline.main_pipeline`
(the synchronous fallback), `pipeline.client` (the gateway's gRPC client), `pipeline.embedded` (all servers in
one process) and `pipeline.errors` (the typed error that crosses every wire).
"""

__version__ = "0.1.0"
