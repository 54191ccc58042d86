"""What people are told, wherever they asked for it."""
