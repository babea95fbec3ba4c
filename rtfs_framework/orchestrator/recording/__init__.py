"""What is written down: the record of a call, the causal chain, counts, events."""
