"""What builds, starts and checks the project; nothing of it is shipped."""
