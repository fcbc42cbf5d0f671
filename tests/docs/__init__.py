"""The pictures of the help and README, and the guides: made by scripts, never by hand."""
