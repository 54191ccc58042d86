"""A flow that trades, on paper or with an account, and what people tell it."""
