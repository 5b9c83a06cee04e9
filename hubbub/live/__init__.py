"""Listening live: where audio comes from, and what is done with the events. Of a detector it needs its stream only."""
