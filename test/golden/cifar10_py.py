"""Writes a tiny cifar-10-batches-py in several forms, for test/unit/cifar10.test.mjs, into the folder given.

    python test/golden/cifar10_py.py FOLDER [--python3]

The official archive was written by Python 2's cPickle with protocol 2. That form is written here byte by byte, with the
opcodes that cPickle chooses, and needs no Python 2; --python3 adds what Python 3's pickle makes of the same data with
numpy, in protocols 2 to 5.
"""

import pathlib
import pickle
import struct
import sys

IMAGE = 3 * 32 * 32


def pixels(first, count):
    return bytes((first + i // IMAGE * 37 + i % IMAGE * 7) % 256 for i in range(count * IMAGE))


class CPickle:
    """cPickle.Pickler(protocol=2): memo numbers count from 1, every container and string is memoized."""

    def __init__(self):
        self.out, self.memo = b"\x80\x02", 0

    def put(self):
        self.memo += 1
        self.out += b"q" + bytes([self.memo]) if self.memo < 256 else b"r" + struct.pack("<I", self.memo)

    def string(self, value):
        self.out += b"U" + bytes([len(value)]) if len(value) < 256 else b"T" + struct.pack("<I", len(value))
        self.out += value
        self.put()

    def integer(self, value):
        if 0 <= value < 256:
            self.out += b"K" + bytes([value])
        elif 0 <= value < 65536:
            self.out += b"M" + struct.pack("<H", value)
        else:
            self.out += b"J" + struct.pack("<i", value)

    def list(self, values, write):
        self.out += b"]"
        self.put()
        for first in range(0, len(values), 1000):
            chunk = values[first : first + 1000]
            self.out += b"(" if len(chunk) > 1 else b""
            for value in chunk:
                write(value)
            self.out += b"e" if len(chunk) > 1 else b"a"

    def global_(self, module, name):
        self.out += b"c" + module + b"\n" + name + b"\n"
        self.put()

    def array(self, content, count):
        self.global_(b"numpy.core.multiarray", b"_reconstruct")
        self.global_(b"numpy", b"ndarray")
        self.out += b"K\x00\x85"
        self.put()
        self.string(b"b")
        self.out += b"\x87"
        self.put()
        self.out += b"R"
        self.put()
        self.out += b"(K\x01"
        self.integer(count)
        self.integer(IMAGE)
        self.out += b"\x86"
        self.put()
        self.global_(b"numpy", b"dtype")
        self.string(b"u1")
        self.out += b"K\x00K\x01\x87"
        self.put()
        self.out += b"R"
        self.put()
        self.out += b"(K\x03"
        self.string(b"|")
        self.out += b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00t"
        self.put()
        self.out += b"b\x89"
        self.string(content)
        self.out += b"t"
        self.put()
        self.out += b"b"


def official(name, labels, content):
    p = CPickle()
    p.out += b"}"
    p.put()
    p.out += b"("
    p.string(b"batch_label")
    p.string(name)
    p.string(b"labels")
    p.list(labels, p.integer)
    p.string(b"data")
    p.array(content, len(labels))
    p.string(b"filenames")
    p.list([b"image_%05d.png" % i for i in range(len(labels))], p.string)
    return p.out + b"u."


def meta(names):
    p = CPickle()
    p.out += b"}"
    p.put()
    p.out += b"("
    p.string(b"num_cases_per_batch")
    p.integer(10000)
    p.string(b"label_names")
    p.list(names, p.string)
    p.string(b"num_vis")
    p.integer(3072)
    return p.out + b"u."


def main():
    folder = pathlib.Path(sys.argv[1]) / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    for number in range(1, 7):
        name = f"data_batch_{number}" if number < 6 else "test_batch"
        labels = [number, 9, 0]
        data = official(b"batch %d" % number, labels, pixels(number, 3))
        (folder / name).write_bytes(data)
        assert "--python3" not in sys.argv or pickle.loads(data, encoding="bytes")[b"labels"] == labels
    names = [b"plane", b"car", b"bird", b"cat", b"deer", b"dog", b"frog", b"horse", b"ship", b"truck"]
    (folder / "batches.meta").write_bytes(meta(names))
    if "--python3" in sys.argv:
        import numpy as np

        array = np.frombuffer(pixels(1, 30), np.uint8).reshape(30, IMAGE)
        for protocol in range(2, 6):
            for key, kind in [("str", str), ("bytes", str.encode)]:
                for form, data in [("readonly", array), ("own", array.copy())]:
                    batch = {kind("data"): data, kind("labels"): [i % 10 for i in range(30)]}
                    path = pathlib.Path(sys.argv[1]) / f"protocol{protocol}-{key}-{form}"
                    path.write_bytes(pickle.dumps(batch, protocol))


main()
