"""Live lint: what the trackers tell (``looking``), compared with the agreements, one idea a file, pure from there on.

``report`` is where findings go. The comparisons are ``account``, ``rights``, ``values``, ``creation``, ``workflow`` and
``people``; :mod:`bridge.daemon.preflight` runs them all.
"""
