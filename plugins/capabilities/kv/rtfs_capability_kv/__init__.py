"""Capabilities `kv.*`: values under keys that outlive a run, kept apart for each tenant, with their marks."""
