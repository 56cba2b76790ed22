// Makes files that are not checkpoints, whose format the error names.
import { gzipSync } from 'node:zlib';
import { checkpoint, join, p, pickle, records, u32, u64, zip } from '../unit/checkpoint-support.mjs';
import { pickled } from './build.mjs';

const hex = (text) => Buffer.from(text, 'hex');
const tar = join('storages', Buffer.alloc(249), 'ustar', Buffer.alloc(1024));

export const hostile = {
  'an empty file': ['', /empty/],
  'one byte': ['P', /no known kind/],
  'a megabyte of zeros': [Buffer.alloc(2 ** 20), /no known kind/],
  'an HTML page': ['<!DOCTYPE html><html><body>404</body></html>', /an HTML page/],
  'an HTML page after empty lines': ['\r\n\r\n  <html lang="en">', /an HTML page/],
  'an XML answer': ['<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', /an HTML page|XML/],
  'a JSON answer': ['{"error": "not found"}', /JSON/],
  'a git-LFS pointer': ['version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n', /git lfs pull/],
  'a gzip file': [gzipSync(checkpoint()), /gunzip/],
  'a bzip2 file': ['BZh91AY&SY', /bunzip2/],
  'an xz file': [hex('fd377a585a000004'), /unxz/],
  'a Zstandard file': [hex('28b52ffd04000000'), /unzstd/],
  'a tar archive': [tar, /a tar archive/],
  'an HDF5 file': [hex('894844460d0a1a0a00000000'), /HDF5/],
  'an ONNX model': [hex('080812077079746f726368'), /ONNX/],
  'a GGUF file': [join('GGUF', u32(3), u64(0), u64(0)), /GGUF/],
  'a NumPy array': [hex('934e554d505901007600'), /NumPy/],
  'a NumPy archive': [zip([['weight.npy', hex('934e554d5059')]]), /NumPy|top folder/],
  'a plain pickle': [pickled(p.emptyDict), /plain pickle/],
  'a pickle that is gzipped': [gzipSync(pickle()), /gunzip/],
  'a text': ['what is this?', /no known kind/],
  'a program': [hex('7f454c460201010000000000'), /no known kind/],
  'a picture': [hex('89504e470d0a1a0a0000000d'), /no known kind/],
  'a TorchScript archive': [zip([...records(), ['x/constants.pkl', pickled(p.emptyTuple)]]), /TorchScript/],
  'a TorchScript archive with code': [
    zip([...records(), ['x/code/__torch__.py', 'import os'], ['x/constants.pkl', '']]),
    /TorchScript/,
  ],
  'an exported program': [
    zip([
      ['x/archive_format', 'pt2'],
      ['x/models/model.json', '{}'],
    ]),
    /exported program/,
  ],
  'an old exported program': [
    zip([
      ['x/serialized_exported_program.json', '{}'],
      ['x/version', '1'],
    ]),
    /exported program/,
  ],
  'an office document': [zip([['x/word/document.xml', '<xml/>']]), /without data\.pkl/],
  'a Keras archive': [
    zip([
      ['model/model.weights.h5', ''],
      ['model/config.json', '{}'],
    ]),
    /without data\.pkl/,
  ],
  'a folder': [{ make: 'folder' }, /is a folder/, 'ERR_FILE'],
  'a distributed checkpoint': [{ make: 'distributed' }, /dcp_to_torch/, 'ERR_FILE'],
  'a named pipe': [{ make: 'pipe' }, /a named pipe/, 'ERR_FILE'],
  'a device': [{ make: 'device' }, /a device/, 'ERR_FILE'],
  'a link to nothing': [{ make: 'dangling' }, /ENOENT/, 'ERR_FILE'],
  'a link to itself': [{ make: 'loop' }, /ELOOP/, 'ERR_FILE'],
  'nothing at all': [{ make: 'nothing' }, /ENOENT/, 'ERR_FILE'],
};

export const benign = {
  'a checkpoint with another extension': [checkpoint(), undefined, { extension: '.bin' }],
  'a checkpoint without an extension': [checkpoint(), undefined, { extension: '' }],
  'a checkpoint through a link': [{ make: 'link', content: checkpoint() }],
};
