"""What takes room, and when there is none left."""
