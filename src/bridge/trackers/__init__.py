"""Adapters: one per kind of tracker, all behind :class:`bridge.trackers.protocol.Tracker`.

``http``, ``sessions``, ``answers`` and ``limits`` are the policy that all of them share.
"""
