"""The least that libtorch's own kernels take for a step of the reference script on a GPU: forward, backward and SGD of one batch
that lies there, in a CUDA graph, with nothing of data, losses or a host around them. Prints a line of JSON: microseconds
a step for each way that bench/cuda/reference-script.mjs trains in."""

import json
import statistics

import torch
import torch.nn.functional as F

BATCH, STEPS = 64, 8
x = torch.randn(BATCH, 3, 32, 32, device="cuda")
y = torch.randint(0, 10, (BATCH,), device="cuda")


def made(channels_last):
    torch.manual_seed(0)
    shapes = [(16, 3, 3, 3), (16,), (32, 16, 3, 3), (32,), (10, 32 * 32 * 32), (10,)]
    parameters = [torch.randn(shape, device="cuda") * 0.01 for shape in shapes]
    if channels_last:
        parameters = [p.to(memory_format=torch.channels_last) if p.dim() == 4 else p for p in parameters]
    return [p.requires_grad_() for p in parameters]


def plain(p):
    hidden = F.conv2d(F.conv2d(x, p[0], p[1], padding=1), p[2], p[3], padding=1)
    return F.linear(hidden.flatten(1), p[4], p[5])


def rows(images):
    return images.permute(0, 2, 3, 1).flatten(1)


def channels_last(p):
    images = x.to(memory_format=torch.channels_last)
    return F.linear(rows(F.conv2d(F.conv2d(images, p[0], p[1], padding=1), p[2], p[3], padding=1)), p[4], p[5])


def bf16(p):
    with torch.autocast("cuda", torch.bfloat16):
        return channels_last(p).float()


def contracted(p):
    up = p[4].view(10, 32, 32, 32).permute(0, 3, 1, 2)
    bias = p[5] + torch.mv(up.sum((2, 3)), p[3])
    up = F.conv_transpose2d(up, p[2], padding=1)
    bias = bias + torch.mv(up.sum((2, 3)), p[1])
    up = F.conv_transpose2d(up, p[0], padding=1)
    return F.linear(rows(x.to(memory_format=torch.channels_last)), rows(up), bias)


def measure(forward, in_channels_last):
    parameters = made(in_channels_last)
    buffers = [torch.zeros_like(p) for p in parameters]

    def step():
        F.cross_entropy(forward(parameters), y).backward()
        with torch.no_grad():
            pieces = [[], [], []]
            for parameter, buffer in zip(parameters, buffers):
                gradient = parameter.grad
                if gradient.stride() != parameter.stride():
                    gradient = torch.empty_like(parameter).copy_(gradient)
                for kind, tensor in zip(pieces, (parameter, gradient, buffer)):
                    flat = torch.as_strided(tensor, (tensor.numel(),), (1,))
                    kind += flat.split(max(8192, -(-flat.numel() // 64)))
                parameter.grad = None
            torch._fused_sgd_(*pieces, weight_decay=0.0, momentum=0.9, lr=0.001, dampening=0.0, nesterov=False,
                              maximize=False, is_first_step=False)

    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for _ in range(4):
            step()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=stream):
            for _ in range(STEPS):
                step()
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        times = []
        for _ in range(7):
            begin.record(stream)
            for _ in range(20):
                graph.replay()
            end.record(stream)
            end.synchronize()
            times.append(begin.elapsed_time(end) * 1000 / 20 / STEPS)
    return statistics.median(times)


print(json.dumps({
    "exact": measure(plain, False),
    "fast": measure(channels_last, True),
    "bf16": measure(bf16, True),
    "contracted": measure(contracted, True),
}))
