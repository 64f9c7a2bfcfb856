/** What becomes of another program's writes on SQLite while Tombolo writes other fields of the same document (SEMANTICS §17). */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { type ForeignProcess, startForeignProcess } from './foreign-process.ts';
import { soakFactor } from './soak.ts';

const boats = resource({
  name: 'boats', id: { kind: 'string', format: z.string() },
  schema: z.object({ name: z.string(), address: z.object({ street: z.string(), zip: z.string().optional() }), notes: z.array(z.string()) }),
  rules: { read: anyone, write: anyone }, shapes: { all: {}, byName: { equal: ['name'] } },
});

let dir: string;
let origin: DirectOrigin;
let program: ForeignProcess;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'tombolo-races-'));
  origin = await DirectOrigin.open({ TOMBOLO_DATA_DIR: dir }, contract(boats));
  program = startForeignProcess(join(dir, 'tombolo.sqlite'));
});
afterAll(async () => {
  await program.stop();
  await origin[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
});

const set = (places: string) => program.run(`UPDATE "boats" SET doc = json_set(doc, ${places}) WHERE id = 'b'`);
const stored = () => origin.stored(boats, 'b');

test('updates of other fields by another program stand, and so do ours, whoever comes first', async () => {
  const rounds = 300 * soakFactor;
  const body = { id: 'b', name: 'n', address: { street: 's' }, notes: ['a'] };
  expect((await origin.ask('create', boats, { body })).outcome).toBe('created');
  expect(await set(`'$.hits', 0, '$.address.geo', json('[1,2]'), '$.more', json('{}')`)).toBeUndefined();
  for (let round = 1; round <= rounds; round++) {
    const name = `n${round}`;
    const ours = origin.ask('patch', boats, {
      id: 'b', body: round % 3 === 0 ? { name, notes: [name] } : { name, address: { zip: name } },
    });
    const theirs = set(`'$.hits', doc ->> '$.hits' + 1, '$.more.n${round % 7}', ${round}`);
    const [answer, refusal] = await Promise.all([ours, theirs]);
    expect([round, answer.outcome, refusal]).toEqual([round, 'written', undefined]);
    if (round % 25 === 0) expect(await stored()).toMatchObject({ name, hits: round, more: { [`n${round % 7}`]: round } });
  }
  expect(await stored()).toMatchObject({ hits: rounds, rev: rounds + 1, address: { geo: [1, 2], street: 's' } });
}, 60_000 * soakFactor);
