"""Points in time. May import ``declare`` and the standard bridges' readers of times."""
