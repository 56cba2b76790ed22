// Names the arguments and results of forward() by the specifications that programs carry as text (torch.utils._pytree):
//
//   [1, {"type": "builtins.dict", "context": "[\"logits\", \"aux\"]", "children_spec": [{"type": null, …}, {"type": "builtins.list", …}]}]
//
// Nothing is imported: of a class only its field names are used.
import { formatError } from '../checkpoint/errors';
import { parseJson } from './exact-json';
import { maxNameLength } from './limits';
import { Located } from './located';

/** Steps from the whole to a leaf. */
export type LeafPath = readonly (string | number)[];

/** Most leaves of a specification, and the depth of its containers. */
const mostLeaves = 10_000;
const mostLevels = 32;

/** `fields`: names of the fields of namedtuples, by class. */
export async function readSpec(text: Located, fields: Located | undefined): Promise<LeafPath[]> {
  const spec = await parseJson(Buffer.from(text.text(), 'utf8'), text.path);
  const [version, root, ...more] = new Located(spec, text.path).list();
  if (version?.value !== 1 || root === undefined || more.length > 0)
    throw text.error('Expected a specification of version 1');
  const leaves: LeafPath[] = [];
  const open: { place: Located; path: LeafPath }[] = [{ place: root, path: [] }];
  // Depth first and in order: what is pushed last is visited next.
  for (let next = open.pop(); next; next = open.pop()) {
    const { place, path } = next;
    const children = place.field('children_spec').list(mostLeaves);
    if (place.field('type').isNull()) {
      if (children.length > 0) throw place.error('a leaf has children');
      leaves.push(path);
      if (leaves.length > mostLeaves) throw place.error(`it has more than ${mostLeaves} leaves`);
      continue;
    }
    if (path.length >= mostLevels) throw place.error(`it is nested deeper than ${mostLevels}`);
    const steps = await stepsOf(place, children.length, fields);
    for (let i = children.length - 1; i >= 0; i--) open.push({ place: children[i]!, path: [...path, steps[i]!] });
  }
  return leaves;
}

/** The key, field name or index of each child. */
async function stepsOf(place: Located, count: number, fields: Located | undefined): Promise<LeafPath> {
  const names = await namesOf(place, fields);
  if (names === undefined) return Array.from({ length: count }, (_, i) => i);
  if (names.length !== count) throw place.error(`it has ${count} children but ${names.length} names`);
  if (new Set(names).size !== count) throw place.error('two of its children have one name');
  return names;
}

async function namesOf(place: Located, fields: Located | undefined): Promise<string[] | undefined> {
  const [type, context] = [place.field('type').text(maxNameLength), place.optional('context')];
  if (type === 'builtins.tuple' || type === 'builtins.list' || context === undefined) return undefined;
  if (type === 'collections.namedtuple') return namedTuple(context.text(), fields);
  const parsed = await parseJson(Buffer.from(context.text(), 'utf8'), context.path).catch(() => undefined);
  if (!Array.isArray(parsed)) return undefined;
  // A dict has its keys, a dataclass its fields, a defaultdict [factory, keys], others [fields, …].
  const lists = [parsed, parsed[0], parsed[1]].filter((list) => Array.isArray(list));
  const named = lists.find(
    (list) => list.length > 0 && list.every((name) => typeof name === 'string' || typeof name === 'number'),
  );
  return named?.map(String) ?? (type === 'builtins.dict' && parsed.length === 0 ? [] : undefined);
}

/** The context of a named tuple is the name of its class, not JSON. */
function namedTuple(type: string, fields: Located | undefined): string[] | undefined {
  const names = fields?.optional(type)?.field('field_names').list(mostLeaves);
  return names?.map((name) => name.name());
}

/** Joins a path into one name: 'aux.1'. */
export function joinedPath(path: LeafPath): string {
  return path.join('.');
}

/** Throws if two leaves have one name: 'a.b' and b in a. */
export function checkNames(names: readonly string[], what: string): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) throw formatError(`the program has two ${what} named ${JSON.stringify(name.slice(0, 100))}`);
    seen.add(name);
  }
}
