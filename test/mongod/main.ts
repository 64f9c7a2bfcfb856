// bun test/mongod/main.ts --port 27017 --members 3 [--standalone] [--data DIR] [--user NAME --password WORD] [--seed N]
// Prints the connection string on one line when it is ready.
import { parseArgs } from 'node:util';
import { type MongodOptions, startMongod } from './server.ts';

const { values } = parseArgs({ options: {
  port: { type: 'string' }, members: { type: 'string' }, standalone: { type: 'boolean' }, data: { type: 'string' },
  user: { type: 'string' }, password: { type: 'string' }, seed: { type: 'string' },
} });

const options: MongodOptions = { members: Number(values.members ?? 1), standalone: values.standalone ?? false };
if (values.port) options.port = Number(values.port);
if (values.data) options.dataDir = values.data;
if (values.seed) options.seed = Number(values.seed);
if (values.user && values.password) options.auth = { user: values.user, password: values.password };

const server = await startMongod(options);
console.log(server.uri);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => { void server.close().then(() => process.exit(0)); });
