"""Records spread over the workers of a cluster: what may be, pieces of work, workers, shares of budgets, results."""
