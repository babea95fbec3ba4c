"""Who takes part: hand-written Python, RTFS and its peers, each behind the same two questions (`contract.py`)."""
