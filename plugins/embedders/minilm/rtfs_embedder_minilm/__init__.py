"""The embedder `minilm`: vectors of texts from a small transformer that comes with its package."""
