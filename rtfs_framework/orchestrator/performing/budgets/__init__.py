"""Budgets and rates: what may be spent (reserved before a request, settled after it), and how fast one may ask."""
