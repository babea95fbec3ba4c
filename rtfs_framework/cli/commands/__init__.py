"""The built-in commands, one module each; `rtfs_framework.cli.plugin` offers them."""
