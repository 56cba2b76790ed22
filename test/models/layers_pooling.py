"""Layers that pool, pad and resize."""
