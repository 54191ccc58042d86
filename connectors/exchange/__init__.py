"""Markets of exchanges, as they come: streams, and what REST fills in."""
