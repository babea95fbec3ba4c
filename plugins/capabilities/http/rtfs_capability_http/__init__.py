"""Capabilities `http.fetch` and `http.send`: requests to the hosts that a grant lists, and to no others."""
