// Reads whole pickled models, as torch.save(model) writes them: a tree of inert objects with _parameters, _buffers and
// _modules. For select.ts.
import { formatError } from './errors';
import { maxDepth, maxModuleCharacters, maxModuleEntries } from './limits';
import {
  kindOf,
  PickleCall,
  PickleDict,
  PickleGlobal,
  PickleSet,
  PickleTuple,
  type PickleValue,
} from './pickle/values';

interface Place {
  module: PickleCall;
  prefix: string;
  depth: number;
}

/** Tensors that model.state_dict() would return. */
export interface ModuleTensors {
  /** In the order of state_dict(). */
  tensors: [string, PickleValue][];
  /** Reason why state_dict() would return other tensors than the pickle shows; undefined if none exists. */
  problem: string | undefined;
}

/** Walks modules. All walks together may visit no more than a real model has. */
export class ModuleWalker {
  #entries = 0;
  #characters = 0;
  /** Problems by module, so that each module is checked once: see #spend(). */
  readonly #problems = new Map<PickleCall, string | undefined>();
  readonly #looked = new Set<PickleValue>();

  /** Returns undefined for an object that is not a module. */
  tensorsOf(root: PickleCall): ModuleTensors | undefined {
    if (!isModule(root)) return undefined;
    const tensors: [string, PickleValue][] = [];
    let problem: string | undefined;
    const open: Place[] = [{ module: root, prefix: '', depth: 0 }];
    for (let place = open.pop(); place; place = open.pop()) {
      problem ??= this.#problem(place);
      for (const [name, item] of this.#ownTensors(place.module)) {
        this.#characters += place.prefix.length + name.length;
        if (this.#characters > maxModuleCharacters)
          throw formatError(`the names of its modules take more than ${maxModuleCharacters} characters`);
        tensors.push([place.prefix + name, item]);
      }
      for (const child of this.#children(place).reverse()) open.push(child);
    }
    return { tensors, problem };
  }

  #problem(place: Place): string | undefined {
    if (!this.#problems.has(place.module)) this.#problems.set(place.module, this.#newProblem(place));
    return this.#problems.get(place.module);
  }

  #newProblem({ module, prefix }: Place): string | undefined {
    const name = calleeOf(module);
    const place = `${prefix === '' ? 'the model' : `the layer ${JSON.stringify(prefix.slice(0, -1).slice(0, 200))}`}, ${name},`;
    if (quantised.test(name) || ownValues(module).some((value) => this.#holdsPacked(value)))
      return `${place} keeps quantised weights in a packed form, which is not read`;
    const hook = ['_state_dict_hooks', '_state_dict_pre_hooks']
      .flatMap((kind) => entriesOf(module, kind))
      .find(([, item]) => !(item instanceof PickleCall && harmlessHooks.has(calleeOf(item))));
    if (hook)
      return `${place} has a hook for state_dict(), ${kindOf(hook[1])}, which may change the weights in a way that the file does not show`;
    return undefined;
  }

  /** Whether the value is packed weights, or a tuple that holds them, such as one of a weight and a bias. */
  #holdsPacked(value: PickleValue): boolean {
    if (!(value instanceof PickleTuple)) return isPacked(value);
    if (this.#looked.has(value)) return false;
    this.#looked.add(value);
    return value.items.some(isPacked);
  }

  #ownTensors(module: PickleCall): [string, PickleValue][] {
    const hidden = namesIn(attribute(module, '_non_persistent_buffers_set'));
    const entries = [...entriesOf(module, '_parameters'), ...entriesOf(module, '_buffers')];
    this.#spend(1 + hidden.length + entries.length);
    const hiddenNames = new Set(hidden);
    return entries.filter(
      (entry): entry is [string, PickleValue] =>
        typeof entry[0] === 'string' && entry[1] !== null && !hiddenNames.has(entry[0]),
    );
  }

  #children({ module, prefix, depth }: Place): Place[] {
    const children = entriesOf(module, '_modules').filter(([, child]) => child !== null);
    this.#spend(children.length);
    if (children.length > 0 && depth >= maxDepth) throw formatError(`its modules are nested deeper than ${maxDepth}`);
    return children.map(([name, child]) => {
      if (!(child instanceof PickleCall) || !isModule(child) || typeof name !== 'string')
        throw formatError(`the module ${JSON.stringify((prefix + name).slice(0, 200))} is ${kindOf(child)}`);
      return { module: child, prefix: `${prefix}${name}.`, depth: depth + 1 };
    });
  }

  /** Counts entries: if every module holds the next one twice, a small file takes exponential time to walk. */
  #spend(entries: number): void {
    this.#entries += entries;
    if (this.#entries > maxModuleEntries) throw formatError(`its modules hold more than ${maxModuleEntries} entries`);
  }
}

/** Layers with packed weights, which only their own code converts into entries of a state dict. */
const quantised = /^torch\.(ao\.)?nn\.(intrinsic\.)?quantized\./;
/** Hooks that only record the version of a format in _metadata. */
const harmlessHooks: ReadonlySet<string> = new Set(['torch.nn.utils.spectral_norm.SpectralNormStateDictHook']);

/** Returns the attributes of a module other than its tensors and modules. */
function ownValues(module: PickleCall): PickleValue[] {
  const attributes = module.state instanceof PickleDict ? [...module.state.entries] : [];
  return attributes.flatMap(([name, value]) => (/^_(parameters|buffers|modules)$/.test(String(name)) ? [] : [value]));
}

/** Whether the value is an object of a C++ class, which holds packed weights, or a quantised tensor outside the buffers. */
function isPacked(value: PickleValue): boolean {
  const name = value instanceof PickleCall ? calleeOf(value) : '';
  return /^torch\.(_C\.)?ScriptObject$|^torch\._utils\._rebuild_qtensor$|^__torch__\.torch\.classes\./.test(name);
}

function calleeOf({ callee }: PickleCall): string {
  return callee instanceof PickleGlobal ? callee.name : '';
}

/** Returns the items of set([…]) as protocol 2 writes it, or of the set of later protocols. */
function namesIn(hidden: PickleValue | undefined): readonly PickleValue[] {
  if (hidden instanceof PickleSet) return hidden.items;
  const args = hidden instanceof PickleCall ? hidden.args : undefined;
  const [items] = 'items' in Object(args) ? (args as { items: readonly PickleValue[] }).items : [];
  return Array.isArray(items) ? items : [];
}

function isModule(value: PickleCall): boolean {
  return (
    value.callee instanceof PickleGlobal &&
    attribute(value, '_modules') instanceof PickleDict &&
    attribute(value, '_parameters') instanceof PickleDict
  );
}

function attribute(module: PickleCall, name: string): PickleValue | undefined {
  return module.state instanceof PickleDict ? module.state.entries.get(name) : undefined;
}

function entriesOf(module: PickleCall, name: string): [PickleValue, PickleValue][] {
  const dict = attribute(module, name);
  return dict instanceof PickleDict ? [...dict.entries] : [];
}
