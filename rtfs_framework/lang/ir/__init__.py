"""IR: the program with names resolved and every surface form lowered to a few nodes."""
