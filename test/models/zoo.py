"""Classifiers of torchvision on small images, by the names that getModel() takes."""
