"""Learning as a fold over the causal chain: outcomes, the states that they make, published versions, and rebuilding."""
