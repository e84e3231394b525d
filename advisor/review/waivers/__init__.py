"""Dated permissions to break a rule."""
