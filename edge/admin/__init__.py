"""The admin listener: health, readiness, metrics. Independent of the gateway's own ingress, so that it answers when that is in trouble."""
