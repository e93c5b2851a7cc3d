"""Processes: the supervisor that holds the listening sockets, its workers, and how both end."""
