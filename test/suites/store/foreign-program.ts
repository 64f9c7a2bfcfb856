/** Another program: a process with a plain SQLite connection that runs the SQL it is given, a line of JSON at a time. */
import { Database } from 'bun:sqlite';
import { createInterface } from 'node:readline';

const [path = '', ...pragmas] = process.argv.slice(2);
const database = new Database(path, { readwrite: true });
for (const pragma of ['busy_timeout = 2000', ...pragmas]) database.run(`PRAGMA ${pragma}`);

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(run(String(JSON.parse(line))))}\n`);
}

function run(statements: string): { readonly error?: string } {
  try {
    database.run(statements);
    return {};
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}
