"""Files and directories that the policy grants. May import ``declare``; reaches files through the guard alone."""
