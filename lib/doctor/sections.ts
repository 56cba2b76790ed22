// Sections of doctor's report, in the order in which they are shown. A new one is a file in sections/ and a line here; its
// name is its key in the JSON.
import type { Section } from './section';
import { addon } from './sections/addon';
import { cache } from './sections/cache';
import { cuda } from './sections/cuda';
import { environment } from './sections/environment';
import { foreign } from './sections/foreign';
import { libraries } from './sections/libraries';
import { libtorch } from './sections/libtorch';
import { memory } from './sections/memory';
import { node } from './sections/node';
import { npm } from './sections/npm';
import { probe } from './sections/probe';
import { processor } from './sections/processor';
import { system } from './sections/system';

export const sections = {
  system,
  processor,
  memory,
  node,
  npm,
  addon,
  libtorch,
  libraries,
  foreign,
  cuda,
  probe,
  cache,
  environment,
} as const;

export type SectionName = keyof typeof sections;

/** The facts of each section; null if it failed. */
export type AllFacts = {
  readonly [Name in SectionName]: (typeof sections)[Name] extends Section<infer Facts> ? Facts | null : never;
};
