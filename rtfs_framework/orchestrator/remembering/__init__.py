"""What is kept so that nothing is computed or paid for twice: cache layers, replies, compiled programs."""
