"""Digests, scorecards and exports: what the clocks, links and holds of an agreement came to over a period."""
