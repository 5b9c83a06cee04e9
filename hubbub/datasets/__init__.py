"""What hubbub learns from and is tested on: clips, annotated recordings, their splits, cached features."""
