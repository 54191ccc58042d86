"""Running an account's executor, and looking at accounts."""
