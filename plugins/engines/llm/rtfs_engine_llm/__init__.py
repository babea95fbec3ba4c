"""The delegation engine `llm`: code filters the targets by what is stated, a model chooses among what is left."""
