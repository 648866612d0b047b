"""Clocks: business calendars, timelines, what each clock says and whose minutes passed, and the ladder. Pure.

Everything here is a function of a timeline, a policy and a moment: no accumulators, no poll time (decision 8). Whoever
evaluates at another moment, or more often, finds the same.
"""
