"""The kernels of blending: sums over rows that are taken once, and what is found on them in microseconds."""
