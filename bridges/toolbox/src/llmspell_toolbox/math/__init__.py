"""Numbers. May import ``declare`` alone."""
