"""The engine `adaptive`: a contextual bandit over the targets that the engine below it would use."""
