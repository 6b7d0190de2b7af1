"""Backward as a composition of ops: what create_graph=True walks, and the recipes of the ops (see CONTRIBUTING.md)."""
