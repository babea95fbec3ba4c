"""Testing a policy: calls, the world as a case imagines it, and the targets that are expected."""
