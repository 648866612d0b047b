"""The running bridge: feeds find what to look at, the dispatcher orders the work, the worker does it."""
