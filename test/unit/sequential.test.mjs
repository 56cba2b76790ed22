import assert from 'node:assert/strict';
import { linear, relu, residual, sequential } from 'torch-incremental';

const refused = (message) => ({ code: 'ERR_INVALID_OPTION', message });
const namesOf = ({ tensors }) => tensors.map(({ name }) => name);

describe('sequential', () => {
  it('refuses an object with names that JavaScript would move to its front', () => {
    assert.throws(
      () => sequential({ first: linear(4, 3), 10: relu(), 2: linear(3, 2) }),
      refused(
        /^The name "2" looks like a number, .* pass a list of layers, or of pairs such as \[\['2', relu\(\)\], …\]$/,
      ),
    );
    assert.throws(() => residual({ a: linear(4, 4) }, { shortcut: { 0: linear(4, 4) } }), refused(/"0" looks like/));
  });

  it('takes a list of pairs, in which such names keep their places', () => {
    const model = sequential([
      ['2', linear(4, 3)],
      ['relu', relu()],
      ['0', linear(3, 2)],
    ]);
    assert.deepEqual(namesOf(model), ['2.weight', '2.bias', '0.weight', '0.bias']);
    assert.deepEqual(model.modules.slice(1), [
      ['2', 1],
      ['relu', 1],
      ['0', 1],
    ]);
  });

  it('counts the layers of a list', () => {
    assert.deepEqual(namesOf(sequential([linear(4, 3), relu(), linear(3, 2)])), [
      '0.weight',
      '0.bias',
      '2.weight',
      '2.bias',
    ]);
  });

  it('refuses two layers of one name, and what is no layer', () => {
    const pairs = [
      ['a', relu()],
      ['a', relu()],
    ];
    assert.throws(() => sequential(pairs), refused('Two layers have the name "a"'));
    for (const wrong of [[['a']], [[1, relu()]], [null], ['a'], { 'a.b': relu() }])
      assert.throws(() => sequential(wrong), refused(/^Expected (names of layers that hold no dot|a layer), such as /));
  });
});
