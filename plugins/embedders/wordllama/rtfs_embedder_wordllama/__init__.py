"""The embedder `wordllama`: vectors of texts from a model that comes with its package."""
