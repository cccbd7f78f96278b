"""What things are: frozen values and pure functions; imports the standard library only."""
