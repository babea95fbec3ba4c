"""Fuzzing of the reader and the pipeline: texts, and a worker that runs them where a hang or a crash hurts nobody."""
