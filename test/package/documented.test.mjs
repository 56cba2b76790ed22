// The comments that editors show: read from the declarations that are published.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { root, temporaryFolder } from '../support.mjs';

const dist = path.join(root, 'dist');
const declarations = (file) => fs.readFileSync(file, 'utf8');
const fileOf = (from, folder) =>
  [`${from}.d.ts`, `${from}/index.d.ts`].map((name) => path.resolve(folder, name)).find((file) => fs.existsSync(file));

/** { name, kind, comment } of what a file declares, or exports from another, under that name. */
function declared(file, name) {
  const text = declarations(file);
  const pattern = new RegExp(
    `(/\\*\\*(?:(?!\\*/)[\\s\\S])*\\*/\\n)?export (?:declare )?(function|class|interface|type|const) ${name}\\b`,
  );
  const [, comment = '', kind] = pattern.exec(text) ?? [];
  if (kind) return { name, kind, comment };
  const passed = new RegExp(`export (?:type )?\\{[^}]*\\b${name}\\b[^}]*\\} from '([^']+)'`).exec(text);
  assert.ok(passed, `${name} is not in ${file}`);
  return declared(fileOf(passed[1], path.dirname(file)), name);
}

/** Files whose exports are a file's own, and that file. */
function exporting(file) {
  const passed = [...declarations(file).matchAll(/^export \* from '([^']+)'/gm)].map(([, from]) => from);
  return [file, ...passed.flatMap((from) => exporting(fileOf(from, path.dirname(file))))];
}

const all = exporting(path.join(dist, 'index.d.ts')).flatMap((file) =>
  [...declarations(file).matchAll(/^export (?:type )?\{([^}]+)\} from '/gm)]
    .flatMap(([, list]) => list.split(',').map((name) => name.trim().replace(/^type /, '')))
    .filter(Boolean)
    .map((name) => declared(file, name)),
);
const callable = all.filter(({ kind }) => kind === 'function' || kind === 'class');

describe('what the package exports', () => {
  const at = temporaryFolder();

  it('has a comment each, and each function and class an example', () => {
    assert.ok(all.length > 120 && callable.length > 45);
    assert.deepEqual(
      all.filter(({ comment }) => comment === '').map(({ name }) => name),
      [],
    );
    assert.deepEqual(
      callable.filter(({ comment }) => !comment.includes('@example')).map(({ name }) => name),
      [],
    );
  });

  it('is in docs/api.md by name', () => {
    const page = fs.readFileSync(path.join(root, 'docs/api.md'), 'utf8');
    const missing = all.filter(({ name }) => !new RegExp(`\\b${name}\\b`).test(page));
    assert.deepEqual(
      missing.map(({ name }) => name),
      [],
    );
  });

  it('has examples that compile', function () {
    this.timeout(120_000);
    const values = callable.map(({ name }) => name).join(', ');
    const examples = callable.map(({ name, comment }) => {
      const [, code] = /@example\n \* ```ts\n([\s\S]*?) \* ```/.exec(comment);
      return `export async function ${name}Example() {\n${code.replace(/^ \* ?/gm, '')}}\n`;
    });
    fs.writeFileSync(at('examples.mts'), `import { ${values} } from 'torch-incremental';\n${examples.join('')}`);
    fs.mkdirSync(at('node_modules'));
    fs.symlinkSync(root, at('node_modules/torch-incremental'));
    const compilerOptions = {
      ...{ module: 'nodenext', target: 'es2023', strict: true, noEmit: true, skipLibCheck: true },
      ...{ types: ['node'], typeRoots: [path.join(root, 'node_modules/@types')] },
    };
    fs.writeFileSync(at('tsconfig.json'), JSON.stringify({ compilerOptions, files: ['examples.mts'] }));
    const compiler = path.join(root, 'node_modules/.bin/tsc');
    assert.doesNotThrow(() => execFileSync(compiler, ['-p', at('tsconfig.json')], { encoding: 'utf8' }));
  });
});
