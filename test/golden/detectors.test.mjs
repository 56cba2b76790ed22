// The drift detectors beside River's, on streams that no golden values were made of.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { needs, riverPython, root, runPython } from '../support.mjs';
import { casesFrom, outcomeOf } from './detector-cases.mjs';

function river(cases) {
  const script = path.join(root, 'test/golden/detectors.py');
  return JSON.parse(runPython(script, [], { input: JSON.stringify(cases), interpreter: riverPython }));
}

describe('drift detectors beside River', () => {
  before(function () {
    needs(this, 'TORCH_INCREMENTAL_RIVER');
  });

  it('have golden values that River still gives', () => {
    const { outcomes } = JSON.parse(fs.readFileSync(path.join(root, 'test/golden/detectors.json'), 'utf8'));
    const cases = casesFrom(1);
    assert.deepEqual(Object.fromEntries(river(cases).map((outcome, i) => [cases[i].name, outcome])), outcomes);
  });

  it('warn and find drifts at the same elements, with the same windows, on other streams', () => {
    const cases = casesFrom(1000);
    for (const [i, expected] of river(cases).entries()) assert.deepEqual(outcomeOf(cases[i]), expected, cases[i].name);
  });
});
