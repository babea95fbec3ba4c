"""The house rules' own tooling: what the `repo`, `layers`, `docs` and `wheel` envs and `.ci/run` are made of."""
