// Hostile specifications of inputs and outputs. Each is a change of the program's JSON, and the words of its error.
import { container, leaf, ref } from './descriptions.mjs';

const module = ({ graph_module: found }) => found;
const graph = (program) => module(program).graph;
const signature = (program) => module(program).signature;
const root = (program) => module(program).module_call_graph[0];
const spec = (key, root_) => (program) => Object.assign(root(program).signature, { [key]: JSON.stringify([1, root_]) });
const list = (...children) => container('builtins.list', null, ...children);

export const specifications = {
  'a specification of version 2': [
    (program) => Object.assign(root(program).signature, { out_spec: '[2, {}]' }),
    /a specification of version 1/,
  ],
  'a specification that is no JSON': [
    (program) => Object.assign(root(program).signature, { out_spec: 'x' }),
    /out_spec is damaged/,
  ],
  'more outputs in the specification': [
    spec('out_spec', container('builtins.tuple', null, leaf, leaf)),
    /out_spec has 2 leaves but the program has 1/,
  ],
  'more inputs in the specification': [
    spec('in_spec', container('builtins.tuple', null, leaf, leaf)),
    /in_spec has 2 leaves but the program has 1/,
  ],
  'a leaf with children': [spec('out_spec', { ...leaf, children_spec: [leaf] }), /a leaf has children/],
  'two outputs with one name': [
    (program) => {
      spec('out_spec', container('builtins.dict', ['a', 'a'], leaf, leaf))(program);
      graph(program).outputs.push(ref('linear'));
      signature(program).output_specs.push({ user_output: { arg: ref('linear') } });
    },
    /two of its children have one name/,
  ],
  'two outputs whose joined names are one': [
    (program) => {
      spec(
        'out_spec',
        container('builtins.dict', ['a.b', 'a'], leaf, container('builtins.dict', ['b'], leaf)),
      )(program);
      graph(program).outputs.push(ref('linear'));
      signature(program).output_specs.push({ user_output: { arg: ref('linear') } });
    },
    /two outputs named "a\.b"/,
  ],
  'fewer names than outputs': [
    spec('out_spec', container('builtins.dict', ['a', 'b'], leaf)),
    /1 children but 2 names/,
  ],
  'a specification nested 40 deep': [
    spec(
      'out_spec',
      Array.from({ length: 40 }).reduce((inner) => container('builtins.list', null, inner), leaf),
    ),
    /nested deeper than 32/,
  ],
  'more than 10,000 children': [spec('out_spec', list(...Array(10_001).fill(leaf))), /at most 10000 items/],
  'more than 10,000 leaves': [
    spec('out_spec', list(list(...Array(6000).fill(leaf)), list(...Array(6000).fill(leaf)))),
    /more than 10000 leaves/,
  ],
};
