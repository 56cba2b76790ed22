#!/usr/bin/env bash
# Builds the addon against the libtorch with CUDA of a Python on this machine, and runs the tests and trials that need a GPU.
# For machines without a network: needs bash, node, a C++20 compiler, cmake, ninja, a Python with torch 2.11 or newer for
# CUDA, node-addon-api, node-api-headers and mocha in node_modules, and dist/ if TypeScript is not installed. Fails if any of
# these is missing.
#
#   scripts/check-cuda.sh [tests | trials]        default: both
#
# TORCH_INCREMENTAL_PYTHON   the Python; default: python3
# TORCH_INCREMENTAL_CIFAR10  a folder with cifar-10-batches-bin, for tests and trials on real images; default: made up
# OUT                        where logs and results go; default: build/cuda and bench/results
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
what=${1:-both}
python=${TORCH_INCREMENTAL_PYTHON:-python3}
build=$root/build/cuda
logs=${OUT:-$build}

say() { printf '== %s\n' "$*" >&2; }
fail() {
  printf 'check-cuda: %s\n' "$*" >&2
  exit 1
}
need() { command -v "$1" >/dev/null || fail "$1 was not found. $2"; }

case $what in both | tests | trials) ;; *) fail "Expected tests or trials, or nothing for both, but received: $what" ;; esac
need nvidia-smi 'This check is for machines with an NVIDIA GPU and its driver.'
nvidia-smi -L >&2 || fail 'nvidia-smi finds no GPU: this check is for machines that have one.'
need node 'Put the folder of Node 20.19 or newer on PATH.'
need cmake 'Install cmake 3.18 or newer.'
need ninja 'Install ninja.'
need "$python" 'Set TORCH_INCREMENTAL_PYTHON to a Python that has torch for CUDA.'
for package in node-addon-api node-api-headers mocha; do
  [[ -d node_modules/$package ]] || fail "node_modules/$package is missing. Where there is a network: npm ci"
done
if [[ -x node_modules/.bin/tsc ]]; then
  node_modules/.bin/tsc -p .
elif [[ ! -f dist/native/native.js ]]; then
  fail 'dist/ is missing, and there is no node_modules/.bin/tsc to make it with. Where there is a network: npm run setup'
fi

torch=$("$python" - <<'PYTHON'
import os
import sys

import torch

version = tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:2])
if version < (2, 11):
    sys.exit(f"torch 2.11 or newer is needed; this is {torch.__version__}")
if not torch.version.cuda:
    sys.exit(f"torch {torch.__version__} is built without CUDA")
if not torch.cuda.is_available():
    sys.exit(f"torch {torch.__version__} for CUDA {torch.version.cuda} finds no GPU")
print(f"torch {torch.__version__}, {torch.cuda.get_device_name(0)}", file=sys.stderr)
print(os.path.dirname(torch.__file__))
PYTHON
) || fail "$python has no usable torch: see its output above."

mkdir -p "$logs"
say "building against $torch"
cmake -G Ninja -S . -B "$build" -DCMAKE_BUILD_TYPE=Release -DLIBTORCH="$torch" \
  -DCMAKE_JS_INC="$root/node_modules/node-api-headers/include;$root/node_modules/node-addon-api" \
  -DCMAKE_LIBRARY_OUTPUT_DIRECTORY="$build/Release" \
  >"$logs/configure.log" 2>&1 || { tail -n 30 "$logs/configure.log" >&2; fail "cmake failed; see $logs/configure.log"; }
cmake --build "$build" >"$logs/build.log" 2>&1 || { grep -m 20 -A 5 -i error "$logs/build.log" >&2 || tail -n 30 "$logs/build.log" >&2; fail "the build failed; see $logs/build.log"; }

export TORCH_INCREMENTAL_LIBTORCH=$torch
export TORCH_INCREMENTAL_ADDON=$build/Release
# For this build only: it is made for exactly this libtorch, whatever version libtorch.json pins.
export TORCH_INCREMENTAL_BYPASS_VERSION_CHECK=1
# A missing GPU is now a failure, not a reason to skip a test.
export TORCH_INCREMENTAL_CUDA=1
export TORCH_INCREMENTAL_PYTHON=$python

status=0
if [[ $what != trials ]]; then
  say 'tests'
  node node_modules/mocha/bin/mocha.js 'test/cuda/*.test.mjs' 'test/unit/device*.test.mjs' 2>&1 | tee "$logs/tests.log" || status=1
fi
if [[ $what != tests ]]; then
  say 'trials'
  for trial in bench/cuda/*.mjs; do
    node "$trial" 2>&1 | tee "$logs/$(basename "$trial" .mjs).log" || status=1
  done
fi
[[ $status == 0 ]] || fail "some of them failed; the logs are in $logs"
say "all passed; the logs are in $logs"
