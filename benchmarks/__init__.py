"""How fast it is. `make bench` prints the tables; nothing here is a test, and nothing gates."""
