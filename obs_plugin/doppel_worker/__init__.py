"""The worker process: one pipeline that swaps faces."""
