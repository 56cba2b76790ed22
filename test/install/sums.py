# Prints for each .pth the SHA-256 of the bytes of its tensors, in order, as PyTorch reads them.
import hashlib
import json
import sys

import torch

sums = []
for path in sys.argv[1:]:
    digest = hashlib.sha256()
    for tensor in torch.load(path, weights_only=True).values():
        digest.update(tensor.contiguous().numpy().tobytes())
    sums.append(digest.hexdigest())
print(json.dumps(sums))
