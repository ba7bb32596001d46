"""How the deck looks: measuring text, native .pptx shapes, one .html page. No gRPC, no network."""
