"""What this package does against what users would run instead, side by side: `python -m benchmarks --help`."""
