"""The market log and the order queue of this home: where they are, and the process that writes."""
