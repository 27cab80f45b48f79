"""Benchmarks: each prints ratios against a peer, or a figure beside its goal, from one run."""
