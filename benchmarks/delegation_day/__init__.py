"""A simulated day of delegation: what learning saves, how soon it notices change, and what it costs in mistakes."""
