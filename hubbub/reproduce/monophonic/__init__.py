"""The report's monophonic system: one label for a clip, on UrbanSound8K, by a random split and by its folds."""
