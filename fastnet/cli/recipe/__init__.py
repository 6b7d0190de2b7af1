"""Recipes: everything a training run needs, as a TOML file; checked as a whole before anything is loaded."""
