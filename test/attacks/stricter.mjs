// Lists files that torch.load(weights_only=True) accepts and this library refuses. docs/checkpoints.md has each by its title, with
// the reason; differential.test.mjs accepts no other difference.

/** By title: patterns of the errors. */
export const stricter = {
  'Checksums are verified': /checksum of/,
  'One complete zip file':
    /no directory at its end|does not end where|in another part|ZIP64 end record|comment holds another end|its directory does not list|end records disagree|several parts/,
  'Every record once, in its own bytes':
    /occurs twice|overlaps|does not agree with the zip directory|does not unpack|two .* fields|ZIP64 field|field of record|marked as a folder|is a folder but/,
  'Plain names of records': /has the unsafe name|differs in case|another encoding|has a second name/,
  'Compression methods': /is compressed \(method|is encrypted/,
  'A version that is a number': /Expected a format version|\.data\/version disagree/,
  'One pickle, of protocol 2 to 5':
    /does not start as a pickle|protocol \d+ was not expected|follow its end|it ends with \d+ values/,
  'Each key once': /has the key .* twice/,
  'Bounded depth, bounded numbers':
    /nested deeper than|contains itself|is too long|at most 64 sizes|Expected a tensor for|has more than \d+|leaves more than|holds too much|is one of more than|take more than/,
  'Tensors as torch.save writes them':
    /Expected a storage for|unexpected arguments|not a valid tensor|unexpected type|Expected a (shape|stride)|conjugated|as the id of a storage|given a state twice|attributes that would replace|an unexpected state|OrderedDict is made from/,
  'Storages of their own size':
    /of elements of \d+ bytes in|Expected a number of elements|another tensor for something else|which the file does not have/,
  'Legacy streams as torch.save writes them':
    /is a plain pickle|of no known kind.* 8a |about the machine|list of the storages' keys|bytes follow the last storage|is a tar archive too/,
  'Exactly the storages that are named':
    /not in the file's list of storages|is stored twice|is stored, but no|is named as|that does not lie in it/,
  'safetensors headers begin with a brace': /of no known kind.* 00 00 00 00 00/,
  'Whole bytes in safetensors': /of less than a byte an element/,
  '_metadata is a dict of dicts': /dict of dicts by the names of modules/,
  'Big-endian bytes with a dtype': /of a big-endian machine in bytes without a dtype/,
};
