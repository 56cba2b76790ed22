"""Trains as people write the loop around torch.optim, for training-loop.test.mjs.

    python training_loop.py < jobs.json

A job: {"optimizer": its class, "options": its arguments, "inputs": [...], "labels": [...], "init": a state dict to begin with,
"accumulate", "maxNorm", "maxValue", "ema": its decay, "swa": the first epoch that counts, from 1; "ours": a checkpoint of
torch-incremental in the second epoch, "out", "average": where to write the weights and the average at the end}. Prints for each job
{"losses": of every step, "continued": those after "ours", "same": whether both runs agree to the bit}.
"""

import json
import sys

import numpy as np
import torch
import torch.nn.functional as F
from optimizer_steps import make, options_of, same
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, update_bn

BATCH, EPOCHS = 8, 3


class Run:
    def __init__(self, job):
        self.job = job
        self.net = make("cnn")
        self.net.load_state_dict(torch.load(job["init"], weights_only=True))
        self.optimizer = getattr(torch.optim, job["optimizer"])(self.net.parameters(), **options_of(job["options"]))
        self.average = None
        if "ema" in job:
            self.average = AveragedModel(self.net, multi_avg_fn=get_ema_multi_avg_fn(job["ema"]))
        if "swa" in job:
            self.average = AveragedModel(self.net)
        inputs = torch.tensor(np.array(job["inputs"], "f4")).view(-1, 3, 8, 8)
        labels = torch.tensor(job["labels"])
        self.batches = list(zip(inputs.split(BATCH), labels.split(BATCH)))

    def train(self, epoch=0, step=0):
        job, losses = self.job, []
        accumulate = job.get("accumulate", 1)
        while epoch < EPOCHS:
            self.net.train()
            for first in range(step * accumulate, len(self.batches), accumulate):
                part = self.batches[first : first + accumulate]
                values = []
                self.optimizer.zero_grad()
                for inputs, labels in part:
                    loss = F.cross_entropy(self.net(inputs), labels)
                    (loss / accumulate).backward() if accumulate > 1 else loss.backward()
                    values.append(loss.item())
                if "maxNorm" in job:
                    torch.nn.utils.clip_grad_norm_(self.net.parameters(), job["maxNorm"])
                if "maxValue" in job:
                    torch.nn.utils.clip_grad_value_(self.net.parameters(), job["maxValue"])
                self.optimizer.step()
                if "ema" in job:
                    self.average.update_parameters(self.net)
                losses.append(sum(values) / len(values))
            epoch, step = epoch + 1, 0
            if epoch >= job.get("swa", EPOCHS + 1):
                self.average.update_parameters(self.net)
        if "swa" in job:
            update_bn(self.batches, self.average)
        return losses


def answer(job):
    run = Run(job)
    losses = run.train()
    torch.save(run.net.state_dict(), job["out"])
    if run.average is not None:
        torch.save(run.average.module.state_dict(), job["average"])
    ours = torch.load(job["ours"], weights_only=True)
    other = Run(job)
    other.net.load_state_dict(ours["model"])
    other.optimizer.load_state_dict(ours["optimizer"])
    if run.average is not None:
        other.average.load_state_dict(ours["average"])
    continued = other.train(ours["epoch"], ours["step"])
    agreement = {
        "weights": same(dict(run.net.state_dict()), dict(other.net.state_dict())),
        "state": same(run.optimizer.state_dict(), other.optimizer.state_dict()),
    }
    if run.average is not None:
        agreement["average"] = same(dict(run.average.state_dict()), dict(other.average.state_dict()))
    return {"losses": losses, "continued": continued, "same": agreement}


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(json.dumps([answer(job) for job in json.load(sys.stdin)]))
