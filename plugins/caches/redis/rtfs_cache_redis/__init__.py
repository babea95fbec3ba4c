"""The cache layer `redis-l2`: replies that many nodes share by one Redis or Valkey, kept coherent."""
