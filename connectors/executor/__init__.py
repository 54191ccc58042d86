"""The executor of an account: from the order queue to the exchange, and back to the log."""
