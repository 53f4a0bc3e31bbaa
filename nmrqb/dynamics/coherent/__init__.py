"""Propagators of piecewise-constant Hamiltonians, dense and sparse."""
