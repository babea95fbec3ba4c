"""What another policy would have had: evidence from a journal, and estimates from it."""
