/**
 * The promises at length: histories under kill -9 and on a MongoDB whose members die, scopes, hostile inputs, and
 * the store's model check. Writes its record and ends with 1 when something was broken.
 *
 *   npm run soak                        half an hour
 *   npm run soak -- --minutes 60        longer; --seed N has a run again
 *   npm run soak -- --only 'scopes'     the part of this name, or those whose name contains it; the record keeps the others
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildEdgeBundle } from '../../origin/dev/edge-bundle.ts';
import { parts } from './parts.ts';
import { machineNow, type PartRecord, writeRecord } from './record.ts';

const project = join(import.meta.dir, '../..');
const minutesDefault = 30;

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: { minutes: { type: 'string' }, seed: { type: 'string' }, only: { type: 'string', default: '' } },
});
const minutes = mustNumber('minutes', values.minutes ?? String(minutesDefault));
const seed = mustNumber('seed', values.seed ?? String(Math.floor(Math.random() * 2 ** 31)));

// Once, and in no part's time.
await buildEdgeBundle(project);
const commit = Bun.spawnSync(['git', 'describe', '--always', '--dirty'], { cwd: project }).stdout.toString().trim();
const records: PartRecord[] = [];
const named = parts.filter(({ name }) => name === values.only);
for (const part of named.length > 0 ? named : parts.filter(({ name }) => name.includes(values.only))) {
  const started = performance.now();
  process.stdout.write(`${part.name} …\n`);
  const outcome = await part
    .run({ seed, minutes: minutes * part.share })
    .catch((thrown: unknown) => ({
      figures: {},
      violations: [`it broke off: ${thrown instanceof Error ? `${thrown.message} ${String(thrown.cause ?? '')}` : String(thrown)}`],
    }));
  const record = {
    name: part.name,
    date: new Date().toISOString(),
    commit,
    seed,
    seconds: Math.round((performance.now() - started) / 1_000),
    ...outcome,
  };
  records.push(record);
  const verdict = record.violations.length === 0 ? 'held' : `BROKEN: ${record.violations.slice(0, 5).join('\n')}`;
  process.stdout.write(`${verdict} (${record.seconds} s) ${JSON.stringify(record.figures)}\n`);
}
writeRecord(machineNow(), records, parts.map(({ name }) => name));
process.exit(records.every(({ violations }) => violations.length === 0) ? 0 : 1);

function mustNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new Error(`--${name} is a positive number, not ${text}`);
  return value;
}
