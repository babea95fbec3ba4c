"""The queue `nats`: deliveries are a work queue of JetStream, what became of items is a key-value bucket beside it."""
