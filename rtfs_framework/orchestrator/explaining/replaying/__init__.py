"""Deciding again what a journal tells of, without asking anybody."""
