"""Layers for sequences: embeddings, recurrent layers, attention, and pooling over time."""
