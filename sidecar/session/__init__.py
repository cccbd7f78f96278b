"""Keep the live picture: events in, a new immutable Picture out."""
