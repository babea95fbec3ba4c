"""What plugin authors and hosts test with: contract suites to inherit, a clock to turn, records, a scripted provider.

    conformance/   one suite per kind of plugin: subclass it, give it `make`, and pytest does the rest
    clock          FakeClock
    fakes          contexts, requests and keys with sensible defaults; ScriptedProvider
    pytest_plugin  fixtures: a host with one plug-in, which records; its clock; a provider that reads a script
    watched        what a plug-in's code uses that it should have declared

The engine's suite needs hypothesis; everything else here needs nothing but rtfs_framework and a test runner.
"""

from rtfs_framework.testing.clock import FakeClock

__all__ = ["FakeClock"]
