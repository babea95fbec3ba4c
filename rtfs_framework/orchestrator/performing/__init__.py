"""Calls that are decided: models, capabilities, consultations. `dispatch` is the way through."""
