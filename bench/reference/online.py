"""Online learning in plain PyTorch, for online-update.mjs: each batch of images is scored by the model as it was loaded, then
augmented by PIL and learned. For each line of standard input prints the milliseconds of each update as JSON; with --serve,
does it for each POST whose body is the images, and prints the port first.
"""

import argparse
import copy
import glob
import json
import os
import sys
import time
import types
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

sys.modules["torchvision._meta_registrations"] = types.ModuleType("torchvision._meta_registrations")
import torchvision.transforms as T  # noqa: E402

import models  # noqa: E402

parser = argparse.ArgumentParser()
parser.add_argument("--data", help="folder that holds cifar-10-batches-bin")
parser.add_argument("--checkpoint", required=True)
parser.add_argument("--batch-size", type=int, default=1)
parser.add_argument("--updates", type=int, default=100)
parser.add_argument("--serve", action="store_true")
args = parser.parse_args()

model = models.models["net"]()
model.load_state_dict(torch.load(args.checkpoint))
served = copy.deepcopy(model).eval()
optimizer = torch.optim.SGD(model.parameters(), lr=1e-5, momentum=0.9)
normalize = [T.ToTensor(), T.Normalize([0.5] * 3, [0.5] * 3)]
learning = T.Compose([T.RandomHorizontalFlip(), T.RandomVerticalFlip(), T.RandomRotation(10), *normalize])
scoring = T.Compose(normalize)
correct = 0


def update(pixels, labels):
    global correct
    images = [Image.fromarray(image.transpose(1, 2, 0)) for image in pixels]
    with torch.no_grad():
        correct += (served(torch.stack([scoring(image) for image in images])).argmax(1) == labels).sum().item()
    optimizer.zero_grad()
    loss = F.cross_entropy(model(torch.stack([learning(image) for image in images])), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        # Without it every answer would wait for an acknowledgement.
        self.connection.setsockopt(6, 1, 1)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        labels = torch.tensor([int(label) for label in self.headers["X-Labels"].split(",")])
        loss = update(np.frombuffer(body, np.uint8).reshape(-1, 3, 32, 32), labels)
        answer = json.dumps({"loss": loss}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


if args.serve:
    server = HTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()

files = sorted(glob.glob(os.path.join(args.data, "cifar-10-batches-bin", "data_batch_*.bin")))
records = np.concatenate([np.fromfile(file, np.uint8).reshape(-1, 3073) for file in files])[:2048]
everything = records[:, 1:].reshape(-1, 3, 32, 32)
seen = 0
for _ in sys.stdin:
    times = []
    for _ in range(args.updates):
        indices = np.arange(seen, seen + args.batch_size)
        seen += args.batch_size
        pixels, labels = everything[indices % len(everything)], torch.from_numpy(indices % 10)
        started = time.perf_counter()
        update(pixels, labels)
        times.append((time.perf_counter() - started) * 1e3)
    print(json.dumps({"times": times}), flush=True)
