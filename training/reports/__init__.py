"""What a report page is made of: parts, figures, and the page itself."""
