"""Policies: one class a file, each a verb, each a core plus the Exchange. Their order and its reasons stand in `edge.app`."""
