"""Priors from labelled pairs of questions, and what the decision does with a stream of them."""
