"""The report of a run: one file that needs no network, to be opened in a browser and kept."""
