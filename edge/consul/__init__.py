"""
Consul, the catalog of the mesh: asking its agent, watching services, registering them.

Built on py-consul, which is met in `client` alone. The rules (indexes, what counts as an instance, when an answer is believed, what a
registration is) are edge.core.consul_*; here are the sockets, clocks and tasks. Nothing here knows the gateway's upstreams.
"""
