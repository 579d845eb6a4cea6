"""The web: requests, pages, searches and interfaces. Reaches hosts through the guard alone."""
