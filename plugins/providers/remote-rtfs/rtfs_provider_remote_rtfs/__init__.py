"""The provider `remote-rtfs`: another RTFS host answers, by a policy of its own (docs/arbiter.md)."""
