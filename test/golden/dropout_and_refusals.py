"""What PyTorch does where torch-incremental must do the same: the elements that dropout keeps on an image, and the words of
its refusals. Prints JSON. Arguments: the state (.pth) that dropout is tried with."""
import json
import sys

import torch
from torch import nn

torch.set_num_threads(1)


def refusal(call):
    try:
        call()
    except Exception as error:  # every kind is of interest
        return str(error).split("\n")[0]
    return None


def kept_elements():
    """One step on one sample: the classifier's weights change where dropout kept a feature."""
    model = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.Dropout(0.5), nn.Flatten(), nn.Linear(512, 4))
    model.load_state_dict(torch.load(sys.argv[1], weights_only=True))
    before = model[3].weight.detach().clone()
    image = ((torch.arange(192) * 7919) % 251).to(torch.uint8).reshape(1, 3, 8, 8)
    data = torch.utils.data.TensorDataset(image.float() / 255, torch.tensor([1]))
    torch.manual_seed(1)
    optimizer = torch.optim.SGD(model.parameters(), lr=1)
    for inputs, labels in torch.utils.data.DataLoader(data, batch_size=1, shuffle=True):
        nn.functional.cross_entropy(model(inputs), labels).backward()
        optimizer.step()
    return (model[3].weight.detach() != before).any(0).tolist()


weight = nn.Parameter(torch.ones(2))
weight.grad = torch.ones(2)
print(json.dumps({
    "kept": kept_elements(),
    "lone": refusal(lambda: nn.BatchNorm2d(4)(torch.ones(1, 4, 1, 1))),
    "nesterov": refusal(lambda: torch.optim.SGD([weight], lr=0.1, nesterov=True)),
    "largeRate": refusal(lambda: torch.optim.SGD([weight], lr=1e300).step()),
    "largestRate": refusal(lambda: torch.optim.SGD([weight], lr=torch.finfo(torch.float32).max).step()),
    "tooLargeRate": refusal(lambda: torch.optim.SGD([weight], lr=3.4028236e38).step()),
}))
