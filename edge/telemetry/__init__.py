"""What an operator sees: metrics, the access log, and the gateway's own log. Nothing here may slow down or fail a call."""
