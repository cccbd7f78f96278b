"""Define what things are: frozen values and pure functions, with the standard library only."""
