// Compares the two answers to a file: both read the same, one is stricter, or it is a finding.
import { stricter } from '../attacks/stricter.mjs';

/** Files that this library reads and Python does not: by title, a pattern of Python's error. */
const wider = {
  // torch.save writes uint16 and other new dtypes like this, but torch.load cannot read it.
  'bytes without a dtype in legacy streams': /UntypedStorage' has no attribute 'dtype'/,
  'texts of Python 2 in other encodings': /'utf-8' codec can't decode/,
  'records that hold no weights':
    /file \.(format_version|storage_alignment|data\/serialization_id): |invalid literal for int/,
  'Python ran out of time or memory': /the process ended with status|MemoryError/,
  // The machine's description in a legacy stream has no meaning; nothing in it is made here.
  'objects that are not made': /NEWOBJ class argument must be a type/,
};

/** Python fails to make an object that is only recorded by its name here. */
const isUnmade =
  /^(TypeError|ValueError|RuntimeError|AttributeError|NotImplementedError|LookupError|OverflowError): |NEWOBJ class argument/;

/** Returns undefined if both trees are equal, else where they differ. Objects without a meaning here are not compared inside. */
export function difference(ours, theirs, path = '') {
  if (JSON.stringify(ours) === JSON.stringify(theirs)) return undefined;
  const [kind, other] = [kindOf(ours), kindOf(theirs)];
  if (kind === '?' ? other === '?' || isMade(ours) : other === '?' && kind !== 'T') return undefined;
  if (kind !== other || kind === 'plain' || kind === 'n' || kind === 'b') return differenceAt(path, ours, theirs);
  if (kind === 'T') return differenceAt(path, ours, theirs);
  if (kind === 'd' || kind === 'o') {
    return (
      differenceOfPairs(ours[1], theirs[1], path) ??
      differenceOfPairs(ours[2] ?? [], theirs[2] ?? [], `${path}.__dict__`)
    );
  }
  // Objects without a meaning have no order for a comparison.
  if (kind === 's' && JSON.stringify([ours, theirs]).includes('["?"')) return undefined;
  const [a, b] = kind === 's' ? [sorted(ours), sorted(theirs)] : [ours, theirs];
  if (a.length !== b.length) return differenceAt(path, ours, theirs);
  return first(a, (item, i) => (i === 0 ? undefined : difference(item, b[i], `${path}[${i - 1}]`)));
}

function differenceOfPairs(ours, theirs, path) {
  if (ours.length !== theirs.length)
    return `${path}: ${ours.length} and ${theirs.length} items; ${differenceAt('', ours, theirs)}`;
  return first(ours, ([key, item], i) => {
    const at = `${path}[${JSON.stringify(key)?.slice(0, 60)}]`;
    return difference(key, theirs[i][0], `${at} (key)`) ?? difference(item, theirs[i][1], at);
  });
}

function first(items, work) {
  for (const [i, item] of items.entries()) {
    const found = work(item, i);
    if (found !== undefined) return found;
  }
  return undefined;
}

const kindOf = (value) => (Array.isArray(value) ? value[0] : 'plain');
const differenceAt = (path, ours, theirs) =>
  `${path || 'the whole'}: here ${JSON.stringify(ours)?.slice(0, 300)}, in Python ${JSON.stringify(theirs)?.slice(0, 300)}`;
const sorted = ([kind, ...items]) => [kind, ...items.map((item) => JSON.stringify(item)).sort()];

/** Values that Python makes and that are recorded by name here: its own objects, and unsupported kinds of tensors. */
const isMade = ([, name]) =>
  /^(torch\.nn\.parameter\.\w+|torch\.(cuda\.)?\w+Tensor|torch\._utils\._rebuild_\w+|torch\._tensor\._rebuild_\w+|builtins\.(frozenset|bytes|bytearray|dict|list|set|complex)|_codecs\.encode|torch\.Size|collections\.\w+)$/.test(
    name,
  );

/** Removes from an error what differs from file to file, for counting. */
export function reasonOf(message) {
  return message
    .replace(/^.*?\.(pth|safetensors)[:,]? ?/, '')
    .replace(/\(at (byte|character) .*$/, '')
    .replace(/"(\\.|[^"\\])*"|\[[^\]]*\]|0x[0-9a-f]+|-?\d[\d.e+]*|-?Infinity|-?NaN/g, '…')
    .replace(/record \S+/g, 'record …')
    .slice(0, 110);
}

/** Returns { kind: 'both' | 'only here' | 'only Python' | 'neither' | 'finding', reason }. `ours`: { tree | large | code, message }. `isHonest`: Python wrote the file. */
export function verdict(ours, theirs, isHonest = false) {
  const isRead = ours.code === undefined;
  const isReadThere = theirs.error === undefined;
  if (isRead && isReadThere) {
    const found =
      zipDifference(ours.zip, theirs.zip) ?? (ours.large || theirs.large ? undefined : treeDifference(ours, theirs));
    return found === undefined ? { kind: 'both' } : { kind: 'finding', reason: `read differently: ${found}` };
  }
  if (isRead) {
    const why = `${theirs.error} / ${theirs.second ?? ''}`;
    const inert =
      JSON.stringify(ours.tree ?? '').includes('["?"') && isUnmade.test(theirs.second) && 'objects that are not made';
    const title = Object.keys(wider).find((name) => wider[name].test(why)) ?? inert;
    if (title && !/Acting/.test(theirs.second ?? '')) return { kind: 'only here', reason: title };
    return { kind: 'finding', reason: `read here, refused by Python: ${why}` };
  }
  if (isReadThere && isHonest)
    return { kind: 'finding', reason: `refused here, though Python wrote it: ${ours.message}` };
  if (isReadThere && theirs.by !== 'pickle') {
    const title = Object.keys(stricter).find((name) => stricter[name].test(ours.message));
    return { kind: 'only Python', reason: title ?? `not in docs/checkpoints.md: ${reasonOf(ours.message)}` };
  }
  return { kind: 'neither', reason: reasonOf(ours.message) };
}

function treeDifference(ours, theirs) {
  return difference(theirs.by === 'safetensors' ? inOrder(ours.tree) : ours.tree, theirs.tree);
}

/** Sorts the tensors of a safetensors file, whose names have no order. */
function inOrder([kind, pairs, attributes]) {
  const byName = (list) => [...list].sort(([a], [b]) => Buffer.compare(points(a), points(b)));
  return [kind, byName(pairs), attributes.map(([key, [inner, strings]]) => [key, [inner, byName(strings)]])];
}

/** Sorts by code points, as Python does. */
const points = (text) => Buffer.from(text, 'utf8');

function zipDifference(ours, theirs) {
  if (ours === undefined || theirs?.names === undefined) return undefined;
  if (!theirs.isSame) return 'zipfile reads another data.pkl';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is meant
  const isPlain = (names) => names.every((name) => /^[\x00-\x7f]*$/.test(name));
  if (!isPlain(ours) || JSON.stringify(ours) === JSON.stringify(theirs.names)) return undefined;
  return `zipfile sees ${JSON.stringify(theirs.names)} and we ${JSON.stringify(ours)}`.slice(0, 500);
}

/** Checks a file that this library wrote from what it read: Python must read all of it. */
export function writtenDifference(ours, theirs) {
  if (theirs.by !== 'weights_only') return `written here, refused by Python: ${theirs.error ?? theirs.because}`;
  const isWhole = ours.tree && theirs.tree && !JSON.stringify(ours.tree).includes('["?"');
  const found = isWhole ? difference(ours.tree, theirs.tree) : undefined;
  return found && `read differently after it was written: ${found}`;
}
