"""Writes operators.json, the schemas of all operators that a model may use, from the PyTorch that runs this:

    python test/fuzz/operators.py > test/fuzz/operators.json && npm run format

Each is [arguments, results], an argument [name, type] or [name, type, "default"] where it may be left out.
"""
import json
import pathlib
import re
import sys

import torch

root = pathlib.Path(__file__).parents[2]
source = (root / 'src/program/allowed_operators.cc').read_text()
names = set(re.findall(r'"(\w+)"', source.split('kNames{', 1)[1].split('};', 1)[0]))


def is_listed(schema):
    return schema.name.startswith('aten::') and schema.name[6:] in names and not any(a.is_out for a in schema.arguments)


def described(schema):
    arguments = [[a.name, str(a.type)] + (['default'] if a.has_default_value() else []) for a in schema.arguments]
    return [arguments, [str(result.type) for result in schema.returns]]


# Overloads for lists and numbers of TorchScript are no operators of the dispatcher.
found = {
    f'{schema.name}.{schema.overload_name}': described(schema)
    for schema in torch._C._jit_get_all_schemas()
    if is_listed(schema) and torch._C._dispatch_has_kernel(
        f'{schema.name}.{schema.overload_name}' if schema.overload_name else schema.name)
}
lines = ',\n'.join(f'{json.dumps(name)}: {json.dumps(found[name])}' for name in sorted(found))
sys.stdout.write('{\n' + lines + '\n}\n')
