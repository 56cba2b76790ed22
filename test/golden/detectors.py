"""What River's drift detectors make of a list of cases: reads them as JSON, writes for each the elements with a warning, as
[first, last], and those with a drift; for ADWIN also the SHA-256 of its widths and estimations.

Called by test/golden/detectors.test.mjs, and by test/golden/renew-detectors.mjs for the golden values of detectors.json. Needs
river. A case: { detector: { kind, … }, stream }; detector-cases.mjs says what a stream is.
"""

import hashlib
import json
import re
import struct
import sys

from river import drift

KINDS = {
    "adwin": drift.ADWIN,
    "ddm": drift.binary.DDM,
    "eddm": drift.binary.EDDM,
    "kswin": drift.KSWIN,
    "pageHinkley": drift.PageHinkley,
}


def numbers(values, parts, seed):
    state = seed

    def uniform():
        nonlocal state
        state = (state * 1664525 + 1013904223) % 2**32
        return state / 2**32

    for count, first, last in parts:
        for i in range(count):
            level = first + (last - first) * i / count
            if values == "bits":
                yield 1 if uniform() < level else 0
            else:
                yield level + (uniform() + uniform() + uniform() + uniform() - 2)


def outcome(detector, stream):
    settings = {re.sub("[A-Z]", lambda c: "_" + c[0].lower(), name): value for name, value in detector.items()}
    made = KINDS[settings.pop("kind")](**settings)
    warnings, drifts, windows = [], [], hashlib.sha256()
    for i, value in enumerate(numbers(**stream)):
        made.update(value)
        if made.drift_detected:
            drifts.append(i)
        elif getattr(made, "warning_detected", False):
            if warnings and warnings[-1][1] == i - 1:
                warnings[-1][1] = i
            else:
                warnings.append([i, i])
        if detector["kind"] == "adwin":
            windows.update(struct.pack("<dd", made.width, made.estimation))
    is_adwin = detector["kind"] == "adwin"
    return {"warnings": warnings, "drifts": drifts, **({"windows": windows.hexdigest()} if is_adwin else {})}


json.dump([outcome(case["detector"], case["stream"]) for case in json.load(sys.stdin)], sys.stdout)
