"""The pure core: tickets, mapping, merge, plan. It decides; it touches nothing."""
