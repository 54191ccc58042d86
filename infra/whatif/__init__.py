"""What would have been with other settings: forks, comparisons, sweeps."""
