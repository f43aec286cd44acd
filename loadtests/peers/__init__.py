"""Other servers, each with the shipped entity model behind it."""
