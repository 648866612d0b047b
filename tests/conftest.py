"""Fixtures for all tests: real servers, each started by the first test that wants it."""

pytest_plugins = ("postgres_server", "redmine_server", "rt_server")
