"""Programs, variables and the machine. May import ``declare``; starts programs through the guard alone."""
