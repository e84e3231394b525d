"""A search on a page and on a terminal."""
