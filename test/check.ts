/** `npm run check`: the types of every part, then the style as a test. Nothing is executed but the checks. */
import { join } from 'node:path';

const project = join(import.meta.dir, '..');
const parts = ['shared', 'edge', 'origin', 'test', 'test/workerd/workers', 'test/mongod'];

async function isOk(label: string, command: readonly string[]): Promise<boolean> {
  const started = performance.now();
  const child = Bun.spawn([...command], { cwd: project, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
  const [out, err, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  process.stdout.write(`${code === 0 ? 'ok  ' : 'FAIL'} ${label} (${Math.round(performance.now() - started)} ms)\n`);
  if (code !== 0) process.stdout.write(`${out}${err}\n`);
  return code === 0;
}

const results = await Promise.all(parts.map((part) => isOk(`types of ${part}`, [join(project, 'node_modules/.bin/tsc'), '-p', part])));
results.push(await isOk('style', [process.execPath, 'test', './test/style']));
process.exitCode = results.every(Boolean) ? 0 : 1;
