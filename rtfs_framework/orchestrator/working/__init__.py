"""Work from a durable queue: runs and tickets, done by `rtfs worker`, wherever it was ordered."""
