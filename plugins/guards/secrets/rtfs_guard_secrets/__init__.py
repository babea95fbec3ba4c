"""The guard `secrets`: keys and passwords neither leave in requests nor come back in replies."""
