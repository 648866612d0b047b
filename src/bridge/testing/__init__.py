"""The conformance suite: one class of tests that every tracker adapter passes, ours and other people's.

    from bridge.testing import Stand, TrackerConformance

    class TestMine(TrackerConformance):
        @pytest.fixture
        def stand(self) -> Stand: ...

Each test's docstring is the promise that it checks. ``stand`` is what the author gives, ``desk`` where a test
works, ``wire`` the faults between adapter and tracker; the tests are in a file for each topic and become one
class in ``suite``. How to use it: docs/conformance.md. Nothing of the running bridge imports this package, and it
knows no adapter.
"""

from __future__ import annotations

import pkgutil

try:
    import pytest
except ImportError as error:
    raise ImportError(
        "bridge.testing is for tests and needs pytest: pip install 'bridge[testing]'"
    ) from error

# A failed assertion shows its values only in modules that pytest was told of before they are loaded.
pytest.register_assert_rewrite(*(f"{__name__}.{module.name}" for module in pkgutil.iter_modules(__path__)))

from bridge.testing.stand import Asking, Samples, Selection, Someone, Stand  # noqa: E402 - see above
from bridge.testing.suite import TrackerConformance  # noqa: E402 - see above
from bridge.testing.wire import Wire  # noqa: E402 - see above

__all__ = ["Asking", "Samples", "Selection", "Someone", "Stand", "TrackerConformance", "Wire"]
