"""Lindblad operators of relaxation, and evolution under them."""
