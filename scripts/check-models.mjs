// Exports known models with Python, trains each here, and compares the bits: every line of the list in test/models/ is equal, or is one of
// the exceptions that exceptions.mjs gives reasons for.
//
//   npm run check:models -- [--group plain|torchvision|transformers|timm] [--only NAME,NAME] [--jobs 2] [--keep FOLDER]
//
// TORCH_INCREMENTAL_MODELS_PYTHON is a Python with torch and what a group needs (torchvision, transformers, timm), by default
// TORCH_INCREMENTAL_PYTHON. Groups that it cannot import are skipped. --keep leaves what Python wrote, a folder for each model.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { compareModel } from '../test/models/compare.mjs';
import { exceptions } from '../test/models/exceptions.mjs';
import { startPython } from '../test/models/worker.mjs';
import { say } from './setup/steps.mjs';

const { values: options } = parseArgs({
  options: {
    group: { type: 'string' },
    only: { type: 'string' },
    jobs: { type: 'string', default: '2' },
    keep: { type: 'string' },
  },
});
const interpreter = process.env.TORCH_INCREMENTAL_MODELS_PYTHON ?? process.env.TORCH_INCREMENTAL_PYTHON;
const print = (line) => process.stdout.write(`${line}\n`);
const verdicts = ['equal', 'differs', 'refused', 'not exported'];

/** The names of the models of each group that is asked for and can be loaded. */
async function modelsOf(python) {
  const answer = await python.ask({ do: 'list', ...(options.group && { group: options.group }) });
  if (!answer.ok) throw new Error(`No group "${options.group}": ${answer.error}: ${answer.message}`);
  const only = options.only?.split(',');
  const models = [];
  for (const [group, { missing, models: names }] of Object.entries(answer.result)) {
    if (missing) say(`${group}: skipped, since Python cannot import it: ${missing}`);
    models.push(...names.filter((name) => !only || only.includes(name)).map((name) => ({ name, group })));
  }
  const unknown = only?.filter((name) => !models.some((model) => model.name === name)) ?? [];
  if (unknown.length > 0) throw new Error(`No models named ${unknown.join(', ')}`);
  return models;
}

/** True if the verdict is the one that is expected. */
function report({ name, verdict, reasons, seconds }) {
  const [expected, why] = exceptions[name] ?? ['equal'];
  const isExpected = verdict === expected;
  const lines = reasons.map((reason) => reason.split('\n')[0]);
  const shown = lines.slice(0, 3).join('; ') + (reasons.length > 3 ? `; and ${reasons.length - 3} more` : '');
  const note = isExpected ? (why ?? '') : `${shown}${why ? ` (expected: ${expected}, ${why})` : ''}`;
  print(`${verdict.padEnd(13)}${name.padEnd(36)}${seconds.toFixed(1).padStart(6)} s  ${note}`.trimEnd());
  return isExpected;
}

function table(results) {
  const groups = [...new Set(results.map(({ group }) => group))];
  const count = (group, verdict) => results.filter((each) => each.group === group && each.verdict === verdict).length;
  print(`\n${''.padEnd(14)}${verdicts.map((verdict) => verdict.padStart(14)).join('')}`);
  for (const group of groups)
    print(group.padEnd(14) + verdicts.map((verdict) => String(count(group, verdict)).padStart(14)).join(''));
  const total = (verdict) => results.filter((each) => each.verdict === verdict).length;
  print(`\n${total('equal')} equal, ${total('differs')} differ, ${total('refused')} refused`);
}

/** Trains the models in `lanes` Pythons at once. */
async function compareAll(models, python, lanes, folder) {
  const left = [...models];
  const results = [];
  const lane = async (own) => {
    for (let model = left.shift(); model; model = left.shift()) {
      const at = path.join(folder, model.name);
      const result = { ...model, ...(await compareModel(own, model.name, at)) };
      results.push({ ...result, isExpected: report(result) });
      if (!options.keep) fs.rmSync(at, { recursive: true, force: true });
    }
  };
  const others = Array.from({ length: lanes - 1 }, () => startPython(interpreter));
  try {
    await Promise.all([python, ...others].map(lane));
  } finally {
    for (const other of others) other.close();
  }
  return results;
}

if (!interpreter) {
  say('Set TORCH_INCREMENTAL_MODELS_PYTHON or TORCH_INCREMENTAL_PYTHON to a Python with torch');
  process.exit(1);
}
const folder = options.keep ?? fs.mkdtempSync(path.join(os.tmpdir(), 'torch-incremental models '));
const python = startPython(interpreter);
try {
  const models = await modelsOf(python);
  if (models.length === 0) throw new Error('There is no model to compare');
  const results = await compareAll(models, python, Math.max(1, Math.min(Number(options.jobs), models.length)), folder);
  table(results);
  if (!results.every(({ isExpected }) => isExpected)) process.exitCode = 1;
} finally {
  python.close();
  if (!options.keep) fs.rmSync(folder, { recursive: true, force: true });
}
