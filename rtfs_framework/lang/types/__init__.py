"""Types: the records (`model`), reading them from forms (`read`), printing (`show`), and checking values (`check`)."""
