"""Small flows, each one step beyond the one before; docs/ladder tells of them."""
