"""The gateway under every dialect at once, for as long as one likes: what it holds must be flat, and nothing when the clients are gone."""
