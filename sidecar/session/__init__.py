"""The live picture: events in, a new immutable Picture out, subscribers told."""
