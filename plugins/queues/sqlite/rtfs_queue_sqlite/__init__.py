"""The queue `sqlite`: items, turns and totals in three tables of one file."""
