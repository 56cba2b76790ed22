"""River's metrics of streams, for running-metrics.test.mjs: reads streams as JSON, writes for each { running, windowed }, the results
by the names of ours after the last prediction.

A stream: { kind, outputs: [[…], …], targets: […] }. For two classes a prediction is the probability of the second one, in float64.
"""

import json
import sys

import numpy as np
from river import metrics, utils
from scipy.special import expit, softmax

WINDOW = 1000


def labelled(size):
    """Metrics of indices of classes, by the names of ours."""
    two = {
        "precision:average=binary": metrics.Precision,
        "recall:average=binary": metrics.Recall,
        "f1Score:average=binary": metrics.F1,
    }
    return {
        "accuracy": metrics.Accuracy,
        "cohenKappa": metrics.CohenKappa,
        "precision": metrics.MacroPrecision,
        "recall": metrics.MacroRecall,
        "f1Score": metrics.MacroF1,
        "precision:average=micro": metrics.MicroPrecision,
        "recall:average=micro": metrics.MicroRecall,
        "f1Score:average=micro": metrics.MicroF1,
        **(two if size == 2 else {}),
    }


def both(makers, pairs):
    running = {name: make() for name, make in makers.items()}
    windowed = {name: utils.Rolling(make(), WINDOW) for name, make in makers.items()}
    for of in (running, windowed):
        for metric in of.values():
            for actual, predicted in pairs:
                metric.update(actual, predicted)
    return [{name: metric.get() for name, metric in of.items()} for of in (running, windowed)]


def classes(z, y):
    size = z.shape[1]
    predicted = z.argmax(1)
    running, windowed = both(labelled(size), [(int(a), int(b)) for a, b in zip(y, predicted)])
    if size > 2:
        p = [dict(enumerate(map(float, row))) for row in softmax(z, 1)]
        pairs = [(int(a), b) for a, b in zip(y, p)]
        more = both({"logLoss": metrics.CrossEntropy}, pairs)
    else:
        pairs = [(bool(a), float(b)) for a, b in zip(y, expit(z[:, 1] - z[:, 0]))]
        more = both({"logLoss": metrics.LogLoss}, pairs)
        areas = {"auroc": metrics.ROCAUC(200), "auroc:thresholds=10": metrics.ROCAUC()}
        exact = metrics.RollingROCAUC(WINDOW)
        for pair in pairs:
            for metric in (*areas.values(), exact):
                metric.update(*pair)
        running |= {name: metric.get() for name, metric in areas.items()}
        windowed |= dict.fromkeys(areas, exact.get())
    return running | more[0], windowed | more[1]


def values(z, y):
    makers = {
        "meanAbsoluteError": metrics.MAE,
        "meanSquaredError": metrics.MSE,
        "rootMeanSquaredError": metrics.RMSE,
        "r2Score": metrics.R2,
    }
    return both(makers, [(float(a), float(b)) for a, b in zip(y[:, 0], z[:, 0])])


def results(stream):
    z = np.array(stream["outputs"], dtype="f8")
    running, windowed = (classes if stream["kind"] == "class" else values)(z, np.array(stream["targets"]))
    return {"running": running, "windowed": windowed}


json.dump([results(stream) for stream in json.load(sys.stdin)], sys.stdout)
