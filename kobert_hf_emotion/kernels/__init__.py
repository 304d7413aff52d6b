"""Faster ways to compute what torch computes, with the same results but for rounding."""
