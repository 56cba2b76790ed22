"""Weights of classes by scikit-learn and of positive targets by PyTorch's advice, for class-weights.test.mjs.

    python class_weights.py < cases.json

A case: {"labels": [...], "ignored": an index that counts as none, or null} or {"targets": rows of 0 and 1}. Prints a list of weights
for each, or the words of the refusal.
"""

import json
import sys

import numpy as np
from sklearn.utils.class_weight import compute_class_weight


def weights(case):
    if "targets" in case:
        targets = np.array(case["targets"], "f8")
        ones = targets.sum(0)
        return ((len(targets) - ones) / ones).tolist()
    labels = np.array(case["labels"])
    labels = labels[labels != case["ignored"]] if case["ignored"] is not None else labels
    try:
        return compute_class_weight("balanced", classes=np.arange(case["classes"]), y=labels).tolist()
    except ValueError as error:
        return str(error)


print(json.dumps([weights(case) for case in json.load(sys.stdin)]))
