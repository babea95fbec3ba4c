"""The layers `redis-l2` and `redis-l1`: what many nodes share by one Redis or Valkey, kept coherent."""
