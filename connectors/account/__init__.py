"""An account at an exchange: keys, limits, orders, and what the exchange tells of them."""
