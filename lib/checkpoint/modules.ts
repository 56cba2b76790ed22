// Whole pickled models: the inert tree that torch.save(model) makes, of objects with _parameters, _buffers and _modules.
// For select.ts.
import { formatError } from './errors';
import { maxDepth, maxModuleCharacters, maxModuleEntries } from './limits';
import { kindOf, PickleCall, PickleDict, PickleGlobal, type PickleValue } from './pickle-values';

interface Place {
  module: PickleCall;
  prefix: string;
  depth: number;
}

/** Walks modules, and in all of its walks together meets no more than a real model has. */
export class ModuleWalker {
  #entries = 0;
  #characters = 0;

  /** In the order of model.state_dict(); undefined for what is no module. */
  tensorsOf(root: PickleCall): [string, PickleValue][] | undefined {
    if (!isModule(root)) return undefined;
    const tensors: [string, PickleValue][] = [];
    const open: Place[] = [{ module: root, prefix: '', depth: 0 }];
    for (let place = open.pop(); place; place = open.pop()) {
      for (const [name, item] of this.#ownTensors(place.module)) {
        this.#characters += place.prefix.length + name.length;
        if (this.#characters > maxModuleCharacters)
          throw formatError(`the names of its modules take more than ${maxModuleCharacters} characters`);
        tensors.push([place.prefix + name, item]);
      }
      for (const child of this.#children(place).reverse()) open.push(child);
    }
    return tensors;
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

  /** A module that holds another twice, which does so too, and so on, is small in the file and endless when walked. */
  #spend(entries: number): void {
    this.#entries += entries;
    if (this.#entries > maxModuleEntries) throw formatError(`its modules hold more than ${maxModuleEntries} entries`);
  }
}

/** Of set([…]) as protocol 2 writes it. */
function namesIn(hidden: PickleValue | undefined): readonly PickleValue[] {
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
