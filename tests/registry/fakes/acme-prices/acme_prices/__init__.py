"""Knows what models cost."""
