"""Calls that wait for a person: what is asked (`store`), and waiting for the answer (`waiting`)."""
