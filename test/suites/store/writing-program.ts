/** A process that writes and prints each id once it is acknowledged, until it is killed. */
import { openSqliteStore } from '../../../origin/store/sqlite/sqlite-store.ts';
import { inTime, put } from './harness.ts';
import { open as things } from './things.ts';

const [dataDir = '', name = 'program'] = process.argv.slice(2);
const store = await openSqliteStore({ dataDir, resources: [things] });
await Promise.all(Array.from({ length: 8 }, async (_, writer) => {
  for (let index = 0; ; index++) {
    const id = `${name}-${writer}-${index}`;
    await store.write([put(things, id, { text: id, tags: ['a'] })], inTime());
    process.stdout.write(`${id}\n`);
  }
}));
