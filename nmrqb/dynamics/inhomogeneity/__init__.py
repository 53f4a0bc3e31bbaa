"""Samples whose parts see different fields: distributions, ensembles, means over them."""
