"""The metrics of scikit-learn, for metrics.test.mjs: reads cases as JSON, writes for each the results by the names of ours.

A case: { kind, outputs: [[…], …], targets: […] }, where targets are indices of classes, or lists as long as an output. Probabilities are
computed in float64. Where scikit-learn has no answer, because a class is missing, the mean over the classes that it has one for.
"""

import json
import sys
import warnings

import numpy as np
import sklearn.metrics as sk
from scipy.special import expit, log_softmax, softmax

warnings.filterwarnings("ignore")


def averages(actual, predicted, binary):
    of = {"precision": sk.precision_score, "recall": sk.recall_score, "f1Score": sk.f1_score}
    kinds = {"": "macro", ":average=micro": "micro", **({":average=binary": "binary"} if binary else {})}
    return {
        name + suffix: score(actual, predicted, average=average, zero_division=0)
        for name, score in of.items()
        for suffix, average in kinds.items()
    }


def ranked(actual, scores):
    """AUROC and average precision of each column that has them, and whether it has a positive."""
    columns = [(actual[:, i], scores[:, i]) for i in range(actual.shape[1])]
    areas = [sk.roc_auc_score(y, s) for y, s in columns if 0 < y.sum() < len(y)]
    precisions = [(sk.average_precision_score(y, s), y.any()) for y, s in columns]
    return (np.mean(areas) if areas else np.nan), precisions


def calibration(y, p, bins):
    confidence, predicted = p.max(1), p.argmax(1)
    bin_of = np.clip(np.ceil(confidence * bins) - 1, 0, bins - 1)
    gap = 0
    for i in range(bins):
        inside = bin_of == i
        if inside.any():
            gap += inside.mean() * abs(confidence[inside].mean() - (predicted == y)[inside].mean())
    return gap


def classes(z, y):
    n, size = z.shape
    labels = range(size)
    p, predicted = softmax(z, 1), z.argmax(1)
    one_hot = (y[:, None] == np.arange(size)).astype(int)
    results = {
        "accuracy": sk.accuracy_score(y, predicted),
        "perClassAccuracy": sk.recall_score(y, predicted, labels=labels, average=None, zero_division=np.nan).tolist(),
        "confusionMatrix": sk.confusion_matrix(y, predicted, labels=labels).tolist(),
        **averages(y, predicted, size == 2),
        "cohenKappa": sk.cohen_kappa_score(y, predicted),
        "logLoss": sk.log_loss(y, p, labels=labels),
        "expectedCalibrationError": calibration(y, p, 15),
        "expectedCalibrationError:bins=4": calibration(y, p, 4),
    }
    if size == 2:
        results["brierScore"] = sk.brier_score_loss(y, p[:, 1], pos_label=1)
        results["topKAccuracy:k=1"] = (z[:, 1] >= z[:, 0])[y == 1].sum() / n + (z[:, 1] < z[:, 0])[y == 0].sum() / n
        results["auroc"], [(results["averagePrecision"], _)] = ranked(one_hot[:, 1:], z[:, 1:] - z[:, :1])
        return results
    results["brierScore"] = sk.brier_score_loss(y, p, labels=labels)
    for k in (1, 2):
        results[f"topKAccuracy:k={k}"] = sk.top_k_accuracy_score(y, z, k=k, labels=labels)
    results["auroc"], precisions = ranked(one_hot, log_softmax(z, 1))
    results["averagePrecision"] = np.mean([precision for precision, occurs in precisions if occurs])
    if len(set(y)) == size:
        assert abs(sk.roc_auc_score(y, p, multi_class="ovr") - results["auroc"]) < 1e-12
        assert abs(sk.average_precision_score(y, p) - results["averagePrecision"]) < 1e-12
    return results


def labels(z, y):
    y = y.astype(int)
    p, predicted = expit(z), (z > 0).astype(int)
    columns = range(y.shape[1])
    is_single = y.shape[1] == 1
    area, precisions = ranked(y, z)
    single = averages(y[:, 0], predicted[:, 0], True)
    return {
        "accuracy": sk.accuracy_score(y, predicted),
        # scikit-learn would take a single column for two classes.
        **({f"{name.split(':')[0]}{suffix}": value for name, value in single.items() if name.endswith("=binary")
            for suffix in ("", ":average=micro", ":average=binary")} if is_single else averages(y, predicted, False)),
        "logLoss": np.mean([sk.log_loss(y[:, i], p[:, i], labels=[0, 1]) for i in columns]),
        "brierScore": np.mean([sk.brier_score_loss(y[:, i], p[:, i], pos_label=1) for i in columns]),
        "auroc": area,
        "averagePrecision": np.mean([precision for precision, _ in precisions]),
    }


def values(z, y):
    return {
        "meanAbsoluteError": sk.mean_absolute_error(y, z),
        "meanSquaredError": sk.mean_squared_error(y, z),
        "rootMeanSquaredError": sk.root_mean_squared_error(y, z),
        "r2Score": sk.r2_score(y, z),
    }


def plain(value):
    if isinstance(value, list):
        return [plain(item) for item in value]
    return None if np.isnan(value) else float(value)


def results(case):
    z = np.array(case["outputs"], dtype="f8")
    y = np.array(case["targets"])
    of = {"class": classes, "classes": labels, "values": values}[case["kind"]](z, y)
    return {name: plain(value) for name, value in of.items()}


json.dump([results(case) for case in json.load(sys.stdin)], sys.stdout)
