"""
gRPC services that tests put behind the gateway. All are grpcio's: independent of the gateway's own HTTP/2.

`recorder`  accepts any path, keeps what arrived, answers what a test tells it to.
`faulty`    a child process that can be killed, frozen and restarted on its port, that hangs, that sends GOAWAY, that allows one stream.
`plain`     something on the port that is not gRPC: an HTTP/2 server that answers with any status, headers and bytes.
`bookstore` the demo's bookstore, in the test's loop or in a child process.
`fixtures`  the same as pytest fixtures; import the ones you use into the test module.
"""
