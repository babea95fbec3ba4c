"""The cache layer `similar`: answers a request by the reply to a similar one, within a bound on wrong answers."""
