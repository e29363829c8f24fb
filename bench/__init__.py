"""Benchmarks that compare feedsvc with its peers in one run, as ratios."""
