// Checks that all versions of a release agree, and that the lockfile works with any registry.

export function versions({ main, libtorch, libtorchVersion, changelog }) {
  const problems = [];
  const { version: packaged, name } = libtorch.manifest;
  // A package that was rebuilt from the same libtorch gets -1, -2 …: npm accepts each version only once.
  if (packaged.replace(/-\d+$/, '') !== libtorchVersion)
    problems.push(`${name} is version ${packaged}, libtorch.json pins ${libtorchVersion}`);
  const asked = main.manifest.optionalDependencies?.[name];
  if (asked !== packaged) problems.push(`package.json asks for ${name} ${asked}, it is ${packaged}`);
  const heading = new RegExp(`^## ${main.manifest.version.replaceAll('.', '\\.')}(,| |$)`, 'm');
  if (!heading.test(changelog)) problems.push(`CHANGELOG.md has no heading for ${main.manifest.version}`);
  return problems;
}

export function lockfile({ lock, main, libtorch }) {
  const problems = (lock.match(/"resolved": "\w+:[^"]*"/g) ?? []).map(
    (line) => `package-lock.json has an address: ${line}`,
  );
  const locked = JSON.parse(lock).packages[''];
  if (locked.version !== main.manifest.version)
    problems.push(
      `package-lock.json is of version ${locked.version}, package.json ${main.manifest.version}: npm install`,
    );
  const { name, version } = libtorch.manifest;
  if (locked.optionalDependencies?.[name] !== version)
    problems.push(
      `package-lock.json asks for ${name} ${locked.optionalDependencies?.[name]}, it is ${version}: npm install`,
    );
  return problems;
}
