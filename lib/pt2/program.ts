// Reads an exported program: checks its version, and joins its graph, its signature, the records of its tensors and the names of its
// inputs and outputs. Called while the archive is open.
import { formatError } from '../checkpoint/errors';
import type { Pt2Archive } from './archive';
import type { ExportedProgram } from './graph';
import { GraphReader } from './graph-reader';
import { readInputs, readOutputs } from './interface';
import { maxNameLength } from './limits';
import type { Located } from './located';
import { inputSpecs } from './signature';
import { readSymbols } from './symbols';
import { readTensors, stateOrder } from './tensors';

/** `name`: one of archive.programs; may be missing where there is only one. */
export async function readProgram(archive: Pt2Archive, name?: string): Promise<ExportedProgram> {
  const program = archive.nameOf(name);
  const json = await archive.program(program);
  const torchVersion = checkVersion(json);
  const module = json.field('graph_module');
  const graphJson = module.field('graph');
  const reader = new GraphReader(archive.signal);
  const graph = await reader.read(graphJson);
  const specs = await inputSpecs(module, graph, archive.signal);
  const modules = moduleNames(module);
  const { tensors, storages } = await readTensors(archive, program, specs, graphJson.field('tensor_values'));
  return Object.freeze({
    name: program,
    torchVersion,
    inputs: await readInputs(module, specs),
    outputs: await readOutputs(module, graph),
    symbols: readSymbols(json.field('range_constraints')),
    tensors,
    state: stateOrder(tensors, modules),
    modules: Object.freeze(modules.map((path) => Object.freeze({ path, type: reader.places.types.get(path) }))),
    graph,
    storages,
  });
}

const [major, leastMinor] = [8, 2];

/** Returns the version of PyTorch. */
function checkVersion(json: Located): string {
  const version = json.field('schema_version');
  const [found, minor] = [version.field('major').count(), version.field('minor').count()];
  const torchVersion = json.optional('torch_version')?.text(maxNameLength) ?? 'unknown';
  if (found !== major || minor < leastMinor)
    throw version.error(
      `Expected version ${major}.${leastMinor} or a later ${major}.x of the format but found ${found}.${minor}, by torch ` +
        `${torchVersion}; export the model with torch 2.6 to 2.13`,
    );
  const verifiers = json.optional('verifiers');
  const names = verifiers?.list().map((each) => each.text(maxNameLength)) ?? [];
  // Decompositions drop torch.no_grad() and detach(): such programs train with other gradients, and no error.
  if (names.length !== 1 || names[0] !== 'TRAINING')
    throw json.error(
      `Expected a program as torch.export.export() returns it (verifier TRAINING) but found the verifiers [${names}]; save that, ` +
        'without run_decompositions(), which changes gradients',
    );
  return torchVersion;
}

/** Paths of the modules, the root first. A module that is called twice may be listed twice. */
function moduleNames(module: Located): string[] {
  const names = module
    .field('module_call_graph')
    .list()
    .map((entry) => entry.field('fqn').text(maxNameLength));
  if (names[0] !== '') throw formatError('Expected the model itself as the first module of the program');
  return [...new Set(names)];
}
