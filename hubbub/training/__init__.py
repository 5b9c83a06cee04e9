"""From a data set to a detector: front end, examples, the fit, thresholds, export; all of it needs torch."""
