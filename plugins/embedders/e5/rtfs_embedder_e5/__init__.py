"""The embedder `e5`: vectors of texts of many languages from a transformer that comes with its package."""
