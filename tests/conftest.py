"""Fixtures for all tests: the real Redmine, which the first test that wants it starts."""

pytest_plugins = ("redmine_server",)
