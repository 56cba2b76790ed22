// The model in a learner's folder. Its text is in each snapshot, in the manifest of version 0, and in records of the journal where it
// changes. Large constants are not: they are written once, as files of their own, and the text has their SHA-256 instead:
//
//     {"constants": [{"name": "mask", "dtype": "float32", "shape": [1024, 1024], "sha256": "9f86…"}], …}
//     constant-9f86….bin                                                          its elements
import fs from 'node:fs/promises';
import path from 'node:path';
import { own } from '../../core/checks';
import { LearnError, messageOf } from '../../core/errors';
import { replaceFile } from '../../files/atomic-write';
import type { Model } from '../../program/module';
import type { ProgramConstant } from '../../program/program';
import { sha256 } from '../versions/files';
import { modelText, readModel } from './model-text';

/** Characters of base64 beyond which a constant has a file. */
const mostInText = 2 ** 16;

type KeptConstant = Omit<ProgramConstant, 'data'> & { readonly data?: string; readonly sha256?: string };

interface Kept {
  readonly text: string;
  /** Constants in files of their own, by their SHA-256. */
  readonly files: ReadonlyMap<string, ProgramConstant>;
}

/** Models do not change, and have the same text for each snapshot. */
const known = new WeakMap<Model, Promise<Kept>>();

function keptOf(model: Model): Promise<Kept> {
  const before = known.get(model);
  if (before) return before;
  const kept = keep(model);
  known.set(model, kept);
  return kept;
}

async function keep(model: Model): Promise<Kept> {
  const constants = own(model.program, 'constants');
  if (!constants?.some(({ data }) => data.length > mostInText)) return { text: modelText(model), files: new Map() };
  const files = new Map<string, ProgramConstant>();
  const short: KeptConstant[] = [];
  for (const constant of constants) {
    const { data, ...form } = constant;
    if (data.length <= mostInText) {
      short.push(constant);
      continue;
    }
    const digest = await sha256([Buffer.from(data, 'base64')]);
    files.set(digest, constant);
    short.push({ ...form, sha256: digest });
  }
  const program = { ...model.program, constants: short as ProgramConstant[] };
  return { text: modelText({ ...model, program }), files };
}

/** The text of a model as a learner's folder has it: equal for equal models. */
export async function textOf(model: Model): Promise<string> {
  return (await keptOf(model)).text;
}

/** Writes the large constants of a model to the folder, unless they are there. Resolves with its text, and whether there are any. */
export async function recordModel(folder: string, model: Model): Promise<{ text: string; hasFiles: boolean }> {
  const { text, files } = await keptOf(model);
  for (const [digest, { data }] of files) {
    const file = fileOf(folder, digest);
    const found = await fs.stat(file).catch(() => undefined);
    if (found?.size === Buffer.byteLength(data, 'base64')) continue;
    const bytes = Buffer.from(data, 'base64');
    const write = (temporary: string, mode: number) =>
      fs.writeFile(temporary, bytes, { mode, flush: true, flag: 'wx' });
    await replaceFile(file, write, { links: 'replace' });
  }
  return { text, hasFiles: files.size > 0 };
}

/**
 * The model of a text in the folder. Throws ERR_STATE_FORMAT unless it is one, and ERR_FILE if the file of a constant is missing or
 * damaged.
 */
export async function recordedModel(folder: string, text: string): Promise<Model> {
  const model = readModel(text);
  const constants = own(model.program, 'constants') as readonly KeptConstant[] | undefined;
  if (!constants?.some((constant) => constant.sha256 !== undefined)) return model;
  const whole: ProgramConstant[] = [];
  for (const { sha256: digest, ...form } of constants) {
    if (digest === undefined) whole.push(form as ProgramConstant);
    else whole.push({ ...form, data: (await elementsOf(folder, digest)).toString('base64') });
  }
  return { ...model, program: { ...model.program, constants: whole } };
}

async function elementsOf(folder: string, digest: string): Promise<Buffer> {
  const file = fileOf(folder, digest);
  const bytes = await fs.readFile(file).catch((cause: unknown) => {
    throw new LearnError('ERR_FILE', `Cannot read ${file}, a constant of the model: ${messageOf(cause)}`, { cause });
  });
  if ((await sha256([bytes])) === digest) return bytes;
  throw new LearnError('ERR_FILE', `${file} does not hold the constant of the model: its SHA-256 is another`);
}

function fileOf(folder: string, digest: string): string {
  return path.join(folder, `constant-${digest}.bin`);
}
