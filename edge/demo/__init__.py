"""
`edge demo`: a bookstore over gRPC in a process of its own, and the gateway before it, with curl lines to try.

The bookstore is an example of a service as a user would have it: `messages` compiles its protos at start, `store` holds its
data, one file per resource holds its rules as plain functions, `serving` puts them on the wire. `tour` is the list of
requests worth trying, `run` the command.
"""
