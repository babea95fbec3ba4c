"""The delegation engine `static`: the routes of the configuration, and nothing else, decide."""
