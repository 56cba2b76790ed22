// Makes and fills the values of a pickle, and charges them to its budget. For unpickle.ts, which keeps the stack.

import { maxGlobalBytes } from '../limits';
import { cost, type MemoryBudget, PickleBudget } from './budget';
import { currentModule } from './moved-names';
import {
  kindOf,
  PickleCall,
  PickleDict,
  PickleGlobal,
  PickleReference,
  PickleSet,
  PickleTuple,
  type PickleValue,
  pairsOf,
} from './values';

const maxInt64 = 2n ** 63n;

export class PickleBuilder {
  readonly globals: PickleGlobal[] = [];
  readonly references: PickleReference[] = [];
  readonly #memory: MemoryBudget;
  readonly #budget: PickleBudget;
  readonly #error: (problem: string) => Error;
  readonly #named = new Map<string, PickleGlobal>();

  constructor(memory: MemoryBudget, error: (problem: string) => Error) {
    this.#memory = memory;
    this.#budget = new PickleBudget(error);
    this.#error = error;
  }

  instructions(count: number): void {
    this.#budget.instructions(count);
  }

  /** Charges a value that is part of an instruction. */
  literal(value: PickleValue): void {
    switch (typeof value) {
      case 'string':
        this.#memory.take(cost.text + 2 * value.length);
        break;
      case 'number':
        if (!Number.isInteger(value)) this.#memory.take(cost.float);
        break;
      case 'bigint':
        this.#memory.take(cost.bigint);
        if (value >= maxInt64 || value < -maxInt64) this.#budget.longInteger();
        break;
      case 'object':
        if (value instanceof Uint8Array) this.#memory.take(cost.bytes + value.length);
        else if (value !== null) this.#memory.take(cost.float);
    }
  }

  /** Charges a list, tuple, set, dict, name or call. */
  container<T extends PickleValue>(value: T): T {
    this.#budget.containers(1);
    const items = value instanceof PickleTuple || value instanceof PickleSet ? value.items.length : 0;
    this.#memory.take(cost.container + cost.item * items);
    return value;
  }

  /** Charges a value that is remembered `skipped` indices after the last one. */
  memo(skipped: number): void {
    this.#memory.take(skipped > 0 ? cost.entry : cost.item);
  }

  global(module: PickleValue, attribute: PickleValue): PickleGlobal {
    if (typeof module !== 'string' || typeof attribute !== 'string')
      throw this.#error('the name of a global is not a string');
    if (module.length > maxGlobalBytes || attribute.length > maxGlobalBytes)
      throw this.#error('the name of a global is too long');
    const name = `${module}\n${attribute}`;
    const known = this.#named.get(name);
    if (known) return known;
    this.#budget.global();
    this.#memory.take(cost.global + 6 * name.length);
    const found = new PickleGlobal(currentModule(module), attribute);
    this.#named.set(name, found);
    this.globals.push(found);
    return found;
  }

  reference(id: PickleValue): PickleReference {
    this.#memory.take(cost.reference);
    const reference = new PickleReference(id);
    this.references.push(reference);
    return reference;
  }

  call(callee: PickleValue, args: PickleValue, isNew: boolean): PickleDict | PickleCall {
    if (!(callee instanceof PickleGlobal) || callee.name !== 'collections.OrderedDict') {
      this.#budget.call(args);
      this.#memory.take(cost.call);
      return new PickleCall(callee, this.#argumentsOf(callee, args), isNew);
    }
    const dict = new PickleDict(true);
    const pairs = pairsOf(args);
    // After NEWOBJ, Python's class ignores the pairs.
    if (!pairs || (isNew && pairs.length > 0)) throw this.#error('an OrderedDict is made from something');
    this.#budget.containers(pairs.length);
    for (const [key, value] of pairs) this.#setItem(dict, key!, value!);
    return dict;
  }

  /** Copies the list from which a set is made: a set keeps its items, whatever is appended to the list afterwards. */
  #argumentsOf(callee: PickleValue, args: PickleValue): PickleTuple {
    if (!(args instanceof PickleTuple)) throw this.#error(`${kindOf(args)} is given to a call as its arguments`);
    const [list] = args.items;
    if (!Array.isArray(list) || !(callee instanceof PickleGlobal) || callee.name !== 'builtins.set') return args;
    this.#budget.containers(list.length);
    this.#memory.take(2 * cost.container + cost.item * list.length);
    return new PickleTuple([[...list], ...args.items.slice(1)]);
  }

  build(target: PickleValue, state: PickleValue): void {
    this.#budget.uses(state);
    const built =
      target instanceof PickleCall ? target.state : target instanceof PickleDict ? target.attributes : undefined;
    if (built !== undefined) throw this.#error(`${kindOf(target)} is given a state twice`);
    if (target instanceof PickleCall) target.state = state;
    else if (target instanceof PickleDict && target.isOrdered && state instanceof PickleDict) target.attributes = state;
    else throw this.#error(`${kindOf(target)} cannot take the state ${kindOf(state)}`);
  }

  append(target: PickleValue, items: readonly PickleValue[]): void {
    if (!Array.isArray(target) && !(target instanceof PickleCall))
      throw this.#error(`${kindOf(target)} cannot be appended to`);
    const isFirst = (Array.isArray(target) ? target : target.items).length === 0;
    this.#memory.take((isFirst ? cost.room : 0) + cost.item * items.length);
    if (Array.isArray(target)) for (const item of items) target.push(item);
    else for (const item of items) target.append(item);
  }

  addItems(target: PickleValue, items: readonly PickleValue[]): void {
    if (!(target instanceof PickleSet)) throw this.#error(`${kindOf(target)} cannot be added to`);
    this.#memory.take(cost.room + cost.item * items.length);
    for (const item of items) target.items.push(item);
  }

  setItems(target: PickleValue, items: readonly PickleValue[]): void {
    if (items.length % 2 !== 0) throw this.#error('a key has no value');
    for (let i = 0; i < items.length; i += 2) this.#setItem(target, items[i]!, items[i + 1]!);
  }

  #setItem(target: PickleValue, key: PickleValue, value: PickleValue): void {
    this.#budget.key(key);
    this.#memory.take(cost.entry);
    if (target instanceof PickleCall) {
      target.setItem(key, value);
      return;
    }
    if (!(target instanceof PickleDict)) throw this.#error(`${kindOf(target)} cannot take items`);
    if (target.entries.has(key)) throw this.#error(`a dict has the key ${kindOf(key)} twice`);
    if (target.size === 0) {
      this.#budget.dict();
      this.#memory.take(cost.room);
    }
    target.entries.set(key, value);
  }
}
