"""What a run looks like on a terminal, in a pipe and as JSON. Memory does not grow with the number of records."""
