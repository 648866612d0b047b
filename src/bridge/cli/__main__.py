"""``python -m bridge.cli``: the console script without its script."""

from bridge.cli import main

main()
