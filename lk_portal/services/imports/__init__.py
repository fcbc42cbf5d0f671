"""Files of readings, intervals and events: checked as a whole first, then written all or not at all."""
