"""How well engines choose among targets that are all allowed, by fit of a function to what targets are good at."""
