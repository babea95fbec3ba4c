"""What would happen, without anything happening: check, explain, the calls they ask about."""
