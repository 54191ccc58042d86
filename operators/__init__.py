"""Pure state machines of the tape and their thin Bytewax adapters; imports only schemas."""
