"""The steps that `scripts/build_detectors.py` takes, a module each."""
