"""The market log, dead letters and values in Kafka."""
