"""Everything that touches the outside: logs, replay, simulator, history; imports only schemas."""
