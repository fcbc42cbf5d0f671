"""The pictures of the help and README, and the user guide: made by scripts, never by hand."""
