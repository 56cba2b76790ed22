// Loaded before any test (.mocharc.json). Tests talk to servers of their own on this machine, which a proxy of the user cannot reach;
// what they fetch from elsewhere still goes through it.
for (const name of ['NO_PROXY', 'no_proxy']) {
  const others = process.env[name] ?? process.env.NO_PROXY ?? process.env.no_proxy;
  process.env[name] = [others, '127.0.0.1', 'localhost'].filter(Boolean).join(',');
}
// Two files run at once in `npm test`, each with libtorch's threads: those that wait give their core to the other file's.
process.env.OMP_WAIT_POLICY ??= 'passive';
