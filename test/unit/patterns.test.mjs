// Patterns of names, which choose tensors and parameters.
import assert from 'node:assert/strict';
import { matcher, nearestNames } from '../../dist/core/patterns.js';

describe('a pattern', () => {
  const matches = (pattern, name) => matcher([pattern])(name);

  it('matches whole names, and * any text', () => {
    assert.ok(matches('fc.weight', 'fc.weight'));
    assert.ok(!matches('fc.weight', 'fc.weights') && !matches('c.weight', 'fc.weight'));
    assert.ok(matches('layer*', 'layer1.0.conv.weight') && matches('*.bias', 'a.b.bias') && matches('*', ''));
    assert.ok(matches('a*b*c', 'abc') && matches('a*b*c', 'a.b.b.c') && !matches('a*b*c', 'acb'));
    assert.ok(!matches('ab*ba', 'aba'), 'one letter is not two');
    assert.ok(!matches('a.b', 'axb') && matches('a+(b', 'a+(b'), 'nothing but * is special');
  });

  it('also means what is in the module of that name', () => {
    assert.ok(matches('fc', 'fc.weight') && matches('fc', 'fc') && !matches('fc', 'fc1.weight'));
    assert.ok(matches('layer*.conv', 'layer1.conv.weight') && !matches('layer*.conv', 'layer1.conv2'));
  });

  it('of many * takes no long time', () => {
    const name = 'a'.repeat(10_000);
    const before = performance.now();
    assert.ok(!matches(`${'*a'.repeat(500)}*b`, name));
    assert.ok(performance.now() - before < 1000);
  });

  it('that matches nothing is compared with names and their modules', () => {
    const names = ['conv1.weight', 'layer1.0.weight', 'fc.weight'];
    assert.equal(nearestNames('conv', names)[0], 'conv1');
    assert.equal(nearestNames('layr1.*', names)[0], 'layer1');
    assert.equal(nearestNames('fc.wieght', names)[0], 'fc.weight');
  });
});
