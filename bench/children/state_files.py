"""The reference of state-files.mjs: `make FILE COUNT SIZE` saves COUNT float32 tensors of SIZE, `load FILE OUT` times both ways."""

import json
import sys
import time
from collections import OrderedDict

import torch

command, file, *rest = sys.argv[1:]
if command == "make":
    count, size = map(int, rest)
    torch.save(OrderedDict((f"layers.{i}.weight", torch.full((size,), float(i))) for i in range(count)), file)
    print("{}")
else:
    started = time.perf_counter()
    state = torch.load(file, weights_only=True)
    loaded = time.perf_counter()
    torch.save(state, rest[0])
    print(json.dumps({"load": loaded - started, "save": time.perf_counter() - loaded}))
