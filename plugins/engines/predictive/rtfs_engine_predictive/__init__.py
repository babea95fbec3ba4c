"""The delegation engine `predictive`: what follows what, which hours are busy, and load among equals."""
