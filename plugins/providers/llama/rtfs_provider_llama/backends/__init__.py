"""Backends: one small contract, and llama.cpp behind it by whichever of its bindings is installed."""
