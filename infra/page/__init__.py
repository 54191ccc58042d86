"""`deck dashboard`: a live page of flows, markets and money, on loopback, behind a token."""
