// The recipes of CONTRIBUTING, followed to the letter in a copy of the project: what they name is enough. recipes.long.test.mjs compiles
// the C++.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { temporaryFolder } from '../support.mjs';
import { compile, copyProject, follow, readRecipes, runTests } from './copy.mjs';
import { members } from './members.mjs';

describe('the recipes of CONTRIBUTING', function () {
  this.timeout(600_000);
  const temporary = temporaryFolder();
  const folder = temporary('copy');
  const recipes = readRecipes();
  const all = Object.entries(members);
  const contracts = [...new Set(all.flatMap(([added]) => recipes.get(added)?.testedBy ?? []))];

  before(() => {
    copyProject(folder);
    for (const [added, member] of all) follow(folder, recipes.get(added), member);
    compile(folder);
  });

  it('make members that keep the promises of their families', () => {
    const others = ['test/contract/kinds.test.mjs', 'test/package.test.mjs'];
    const { ok, output } = runTests(folder, [...contracts, ...others, '--reporter', 'spec']);
    assert.ok(ok, output);
    for (const [, { name }] of all)
      assert.match(output, new RegExp(`${name}\\(\\) is exported from the package and explained in docs/api\\.md`));
  });

  it('are noticed where a line is missing', () => {
    const file = path.join(folder, 'docs/api.md');
    const text = fs.readFileSync(file, 'utf8');
    fs.writeFileSync(
      file,
      all.reduce((page, [, { documented }]) => page.replace(documented, ''), text),
    );
    const { ok, output } = runTests(folder, contracts);
    fs.writeFileSync(file, text);
    assert.ok(!ok);
    for (const [, { name }] of all) assert.match(output, new RegExp(`docs/api\\.md does not mention ${name}\\(\\)`));
  });
});
