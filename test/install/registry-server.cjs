// A verdaccio on a free port of 127.0.0.1, in a process of its own:
//   node registry-server.cjs <verdaccio's folder> <its configuration file>
// Tells its parent the port, and ends with it.
const [folder, configPath] = process.argv.slice(2);
const { runServer } = require(folder);

process.on('disconnect', () => process.exit());
runServer(configPath).then((server) => {
  server.listen(0, '127.0.0.1', () => process.send(server.address().port));
});
