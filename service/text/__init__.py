"""Text processing shared by training and serving, so that it exists once."""
