// Reads the arguments and results of nodes. Each is an object with one key, which says its kind and how to read it:
//
//   {"as_tensor": {"name": "linear"}}   {"as_sym_ints": [{"as_name": "batch"}, {"as_int": -1}]}   {"as_float": "-Infinity"}
//
// The key says if a number is an integer or a float, never its spelling. References are looked up in the scope of the
// graph: each must be defined before, as a value of the right type.
import type { ValueRef } from '../program/program';
import { checkDevice, checkLayout, dtypeOf, memoryFormatOf } from './enums';
import type { Argument, Result, Scalar, Value, ValueType } from './graph';
import { maxListItems } from './limits';
import type { Located } from './located';

/** The values of one graph that are defined so far. */
export class Scope {
  readonly values: Value[] = [];
  readonly #types = new Map<string, ValueType>();

  define(place: Located, type: ValueType): Value {
    const name = place.name();
    if (this.#types.has(name)) throw place.error(`the value ${JSON.stringify(name)} is defined twice`);
    this.#types.set(name, type);
    const value = Object.freeze({ name, type });
    this.values.push(value);
    return value;
  }

  refer(place: Located, type: ValueType): ValueRef {
    const name = place.name();
    const found = this.#types.get(name);
    if (found === undefined)
      throw place.error(
        `the value ${JSON.stringify(name)} is used but not defined before; it may be defined later, or nowhere`,
      );
    if (found !== type)
      throw place.error(`Expected a value of type ${type} but ${JSON.stringify(name)} is of type ${found}`);
    return Object.freeze({ value: name });
  }

  typeOf(name: string): ValueType | undefined {
    return this.#types.get(name);
  }
}

type Reader<T> = (place: Located, scope: Scope) => T;
type Item = ValueRef | Scalar;

const frozenList =
  <T>(read: Reader<T>): Reader<readonly T[]> =>
  (place, scope) =>
    Object.freeze(place.list(maxListItems).map((item) => read(item, scope)));

const int: Reader<Scalar> = (place) => Object.freeze({ int: place.integer() });
const float: Reader<Scalar> = (place) => Object.freeze({ float: place.float() });
const bool: Reader<Scalar> = (place) => place.flag();
const string: Reader<Scalar> = (place) => place.text();
const none: Reader<null> = () => null;
const tensor: Reader<ValueRef> = (place, scope) => scope.refer(place.field('name'), 'tensor');

/** A number that may be a value: {"as_name": …}, or a constant of `constant`. */
const symbolic =
  (type: ValueType, constant: string, read: Reader<Scalar>): Reader<Item> =>
  (place, scope) => {
    const [kind, inner] = place.kind();
    if (kind === 'as_name') return scope.refer(inner, type);
    if (kind === constant) return read(inner, scope);
    throw place.expected(`as_name or ${constant}`);
  };

const symInt = symbolic('int', 'as_int', int);
const symFloat = symbolic('float', 'as_float', float);
const symBool = symbolic('bool', 'as_bool', bool);

const optionalTensor: Reader<ValueRef | null> = (place, scope) => {
  const [kind, inner] = place.kind();
  if (kind === 'as_none') return null;
  if (kind === 'as_tensor') return tensor(inner, scope);
  throw place.expected('as_tensor or as_none');
};

/** Single values and numbers. */
const items: ReadonlyMap<string, Reader<Item>> = new Map<string, Reader<Item>>([
  ['as_none', none],
  ['as_tensor', tensor],
  ['as_optional_tensor', optionalTensor],
  ['as_int', int],
  ['as_float', float],
  ['as_bool', bool],
  ['as_string', string],
  ['as_sym_int', symInt],
  ['as_sym_float', symFloat],
  ['as_sym_bool', symBool],
]);

const readers: ReadonlyMap<string, Reader<Argument>> = new Map<string, Reader<Argument>>([
  ...items,
  ['as_tensors', frozenList(tensor)],
  ['as_optional_tensors', frozenList(optionalTensor)],
  ['as_ints', frozenList(int)],
  ['as_floats', frozenList(float)],
  ['as_bools', frozenList(bool)],
  ['as_strings', frozenList(string)],
  ['as_sym_ints', frozenList(symInt)],
  ['as_sym_floats', frozenList(symFloat)],
  ['as_sym_bools', frozenList(symBool)],
  ['as_scalar_type', (place) => Object.freeze({ dtype: dtypeOf(place) })],
  ['as_layout', (place) => Object.freeze({ layout: checkLayout(place) })],
  ['as_memory_format', (place) => Object.freeze({ memoryFormat: memoryFormatOf(place) })],
  ['as_device', (place) => Object.freeze({ device: checkDevice(place) })],
]);

export function readArgument(place: Located, scope: Scope): Argument {
  const [kind, inner] = place.kind();
  return readerOf(readers, kind, place)(inner, scope);
}

/** As readArgument(), where neither lists nor settings of tensors can be: operands of scalar nodes, outputs of graphs. */
export function readItem(place: Located, scope: Scope): Item {
  const [kind, inner] = place.kind();
  return readerOf(items, kind, place)(inner, scope);
}

/** Reads a list of items, or one item as a list. */
export function readItems(place: Located, scope: Scope): readonly Item[] {
  const argument = readArgument(place, scope);
  if (Array.isArray(argument)) return argument;
  return [readItem(place, scope)];
}

/** Reads a constant of a signature, of which there are the scalar kinds. */
export function readConstant(place: Located): Scalar {
  const item = readItem(place, new Scope());
  return item as Scalar;
}

function readerOf<T>(known: ReadonlyMap<string, Reader<T>>, kind: string, place: Located): Reader<T> {
  const reader = known.get(kind);
  if (reader) return reader;
  throw place.error(`an argument of kind ${JSON.stringify(kind.slice(0, 60))} is not supported here`);
}

const named = (key: string, type: ValueType) => (place: Located, scope: Scope) =>
  place.optional(key) ? scope.define(place.field(key), type).name : null;
const tensorResult = (place: Located, scope: Scope) => scope.define(place.field('name'), 'tensor').name;
const optionalResult = (place: Located, scope: Scope) => {
  const [kind, inner] = place.kind();
  return kind === 'as_none' ? null : tensorResult(inner, scope);
};

const results: ReadonlyMap<string, Reader<Result>> = new Map<string, Reader<Result>>([
  ['as_none', none],
  ['as_tensor', tensorResult],
  ['as_tensors', frozenList(tensorResult)],
  ['as_optional_tensor', optionalResult],
  ['as_optional_tensors', frozenList(optionalResult)],
  ['as_sym_int', named('as_name', 'int')],
  ['as_sym_ints', frozenList(named('as_name', 'int'))],
  ['as_sym_float', named('as_name', 'float')],
  ['as_sym_bool', named('as_name', 'bool')],
  // A number that was known at export: nothing refers to it.
  ['as_int', none],
  ['as_float', none],
  ['as_bool', none],
]);

/** Reads a result of a node, and defines its values. */
export function readResult(place: Located, scope: Scope): Result {
  const [kind, inner] = place.kind();
  const reader = results.get(kind);
  if (!reader) throw place.error(`a result of kind ${JSON.stringify(kind.slice(0, 60))} is not supported`);
  return reader(inner, scope);
}
