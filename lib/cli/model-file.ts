// The model of a command: of --model, the export of a JavaScript file of the user's, which is run as any program that imports it would;
// or what torch.export saved, which has weights too.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { inspectFile } from '../checkpoint/inspect';
import type { ParseOptions } from '../checkpoint/parsed';
import { type Check, invalid } from '../core/checks';
import { LearnError, messageOf } from '../core/errors';
import { isModel, models } from '../models';
import { recogniseModel } from '../models/recognise';
import type { Architecture } from '../models/zoo';
import type { Model } from '../program/module';
import { loadModel } from '../pt2/load-model';
import type { State } from '../state/state';
import { wrongUsage } from './arguments';
import { text } from './command';
import { architectureFrom, architectureIn } from './members';

const isModelFile: Check = (value, name) => {
  if (isExported(value as string) || /\.[cm]?js$/.test(value as string) || architectureIn(value as string)) return;
  if (Object.hasOwn(models, value as string))
    throw wrongUsage(`${name} ${value}: models of this library are recognised from their checkpoints, without ${name}`);
  const expected =
    'an architecture of torchvision such as resnet18, a .pt2 of torch.export, or a JavaScript file (.mjs, .cjs or .js) whose default export is a model';
  throw invalid(expected, name, value);
};

export const modelOptions = {
  model: text(
    'file',
    'resnet18 …, a .pt2, or a JavaScript file that exports the model and is run (default: recognised)',
    {
      check: isModelFile,
    },
  ),
};

/** Whether the file is named as torch.export.save() asks for. */
export function isExported(file: string): boolean {
  return /\.pt2$/i.test(file);
}

/** `model`: undefined where it is recognised. `weights`: those of the exported model that the command works on. */
export interface Chosen {
  readonly model: Model | undefined;
  readonly weights: State | undefined;
}

/**
 * The model of --model, or of a checkpoint that is an exported model. `checkpoint`: '' if the command has none, so that the weights are
 * those of --model.
 */
export async function modelFrom(
  file: string | undefined,
  checkpoint: string,
  { key, stripPrefix }: { key: string | undefined; stripPrefix: string | undefined },
  signal: AbortSignal,
): Promise<Chosen> {
  const source = checkpoint === '' ? file : checkpoint;
  const own = source !== undefined && isExported(source) ? await loadModel(source, { signal }) : undefined;
  if (own && (key !== undefined || stripPrefix !== undefined))
    throw wrongUsage(`${key === undefined ? '--strip-prefix' : '--key'} is for checkpoints, but ${source} is a model`);
  const isOwn = file === undefined || (own !== undefined && file === source);
  if (isOwn) return { model: own?.model, weights: own?.state };
  const architecture = architectureIn(file);
  if (!architecture) return { model: await modelOf(file, signal), weights: own?.state };
  const { name, options } = architecture;
  if (options) return { model: architectureFrom(file, name, options), weights: own?.state };
  return { model: await recognised(checkpoint, name, { key, stripPrefix, signal }), weights: own?.state };
}

/** The model of a checkpoint of this architecture, with as many classes as it has. */
async function recognised(checkpoint: string, name: Architecture, options: ParseOptions): Promise<Model> {
  const model = recogniseModel(await inspectFile(checkpoint, options));
  if (model.name === name) return model;
  throw new LearnError(
    'ERR_STATE_MISMATCH',
    `Expected a checkpoint of ${name} for --model but ${checkpoint} is of ${model.name}`,
  );
}

async function modelOf(file: string, signal: AbortSignal): Promise<Model> {
  if (!isExported(file)) return scriptModel(file);
  const { model, state } = await loadModel(file, { signal });
  state.dispose();
  return model;
}

/** The model that a JavaScript file exports. */
async function scriptModel(file: string): Promise<Model> {
  const at = path.resolve(file);
  checkFile(file);
  let exported: Exported;
  try {
    exported = await import(pathToFileURL(at).href);
  } catch (cause) {
    const message = messageOf(cause).split('\n', 1)[0]!;
    // As where npx has fetched this package, and the file's folder has none.
    const hint = /^Cannot find (package|module) 'torch-incremental'/.test(message)
      ? '; in the folder of that file: npm install torch-incremental'
      : '';
    throw wrongUsage(`--model ${file} throws${placeIn(cause, at)}: ${message}${hint}`);
  }
  return modelIn(exported, file);
}

/** Before it is imported, since the error of an import does not tell this file from those that it imports. */
function checkFile(file: string): void {
  let isFile: boolean;
  try {
    isFile = fs.statSync(file).isFile();
  } catch (cause) {
    throw new LearnError('ERR_FILE', `Cannot open ${file} for --model: ${messageOf(cause)}`, { cause });
  }
  if (!isFile) throw new LearnError('ERR_FILE', `Expected a JavaScript file for --model, but ${file} is not a file`);
}

type Exported = Readonly<Record<string, unknown>>;

function modelIn(exported: Exported, file: string): Model {
  const { default: main } = exported;
  // Of CommonJS the default export is module.exports, which may have exports of its own.
  const inner = (typeof main === 'object' && main !== null ? main : {}) as Exported;
  const found = [main, exported.model, inner.default, inner.model].find(
    (one) => one !== undefined && !refusal(one, ''),
  );
  if (found !== undefined) return found as Model;
  const names = Object.keys(exported).filter((name) => name !== 'default');
  if (main === undefined && exported.model === undefined) {
    const others = names.length > 0 ? `it exports ${names.join(', ')}` : 'it exports nothing';
    throw wrongUsage(`--model ${file}: expected a model as its default export, but ${others}`);
  }
  const [value, name] = main === undefined ? [exported.model, 'model'] : [main, 'default'];
  const hint = typeof value === 'function' ? '; export what it returns' : '';
  throw wrongUsage(`--model ${file}: ${refusal(value, `export ${name}`)}${hint}`);
}

/** Why the value is no model; undefined where it is one. */
function refusal(value: unknown, name: string): string | undefined {
  try {
    isModel(value, name);
    return undefined;
  } catch (cause) {
    return messageOf(cause);
  }
}

/** The line of the file that threw, or that called what threw. Where text is no program, the file and line of that. */
function placeIn(cause: unknown, file: string): string {
  const places = placesIn((cause instanceof Error && cause.stack) || '');
  const found = cause instanceof SyntaxError ? places[0] : places.find((place) => place.file === file);
  if (found) return found.file === file ? ` at line ${found.line}` : ` at ${found.file}:${found.line}`;
  if (!(cause instanceof SyntaxError)) return '';
  // Of an ES module the error itself does not have the place.
  const { stderr } = spawnSync(process.execPath, ['--check', file], { encoding: 'utf8' });
  const place = placesIn(stderr)[0];
  return place ? ` at line ${place.line}` : ' in a file that it imports';
}

/** The files and lines in a stack, without those of Node. */
function placesIn(stack: string): { file: string; line: string }[] {
  return [...stack.matchAll(/(?:^|[ (])((?:file:\/\/)?\/[^\n]*?):(\d+)(?::\d+)?\)?$/gm)].map(([, url, line]) => ({
    file: url!.startsWith('file:') ? fileURLToPath(url!) : url!,
    line: line!,
  }));
}
