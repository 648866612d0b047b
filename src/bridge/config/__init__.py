"""The settings and agreement files: read, checked whole, and turned into frozen values.

``load`` is the only door. A file passes four stages, each in its own module: ``source`` reads YAML and
remembers lines, ``shape`` says which keys and types there are, ``fitting`` lays one over the other and
words the misfits, and ``tracker_checks`` / ``agreement_checks`` / ``field_checks`` / ``role_checks`` /
``grant_checks`` / ``mode_checks`` / ``overlap`` see whether the whole makes sense. What is said of time has checks of
its own (``calendar_checks``, ``clock_checks``, ``goal_checks``, ``ladder_checks``), put together by ``policy_checks``.
Mistakes are collected by ``findings`` and raised together.
"""

from bridge.config.kinds import BUILT_IN_KINDS, Kind
from bridge.config.loading import load
from bridge.config.settings import Settings, TrackerSettings

__all__ = ["BUILT_IN_KINDS", "Kind", "Settings", "TrackerSettings", "load"]
