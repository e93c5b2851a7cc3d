"""Decisions without IO, clocks or randomness: every rule here can be tested with literals. Imports nothing of edge above it."""
