"""A run as one page that opens from the disk: what is shown, its charts, and the HTML."""
