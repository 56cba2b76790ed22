"""Draws tensors as torch.nn.init does, one after the other from one generator, and saves them as a state dict.

    python initialisers.py FILE SEED
"""

import sys

import torch
from torch import nn

file, seed = sys.argv[1], int(sys.argv[2])
torch.manual_seed(seed)
state = {
    "normal": nn.init.normal_(torch.empty(33, 7), 0.5, 0.02),
    "small": nn.init.normal_(torch.empty(5)),
    "uniform": nn.init.uniform_(torch.empty(40), -0.3, 0.3),
    "inside": nn.init.trunc_normal_(torch.empty(50, 20), std=0.02),
    "cut": nn.init.trunc_normal_(torch.empty(60, 9), std=1, a=-0.5, b=2),
    "density": nn.init.trunc_normal_(torch.empty(60, 9), mean=0.5, std=2, a=2.5, b=4),
    "narrow": nn.init.trunc_normal_(torch.empty(17), std=3, a=-0.1, b=0.2),
}
embedding = nn.init.normal_(torch.empty(6, 4))
embedding[2].fill_(0)
state["embedding"] = embedding
state["table"] = torch.sin(torch.arange(10) * 0.3).reshape(2, 5)
state["copied"] = state["normal"].clone()
# Initialised again, after everything else.
state["again"] = nn.init.normal_(nn.init.uniform_(torch.empty(4), -1, 1), 0, 3)
torch.save(state, file)
