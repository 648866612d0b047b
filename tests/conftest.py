"""Fixtures for all tests: the real trackers, which the first test that wants one starts."""

pytest_plugins = ("redmine_server", "rt_server")
