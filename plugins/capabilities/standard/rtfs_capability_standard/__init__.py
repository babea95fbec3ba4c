"""Capabilities that programs call most: `ccos.echo`, `ccos.user.ask`, arithmetic, output, time, chance, models."""
