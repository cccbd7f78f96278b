"""Open, merge, release, restore: each is planned, agreed to and then applied, and a journal survives its end."""
