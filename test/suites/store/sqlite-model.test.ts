/**
 * Random sequences of own and foreign writes against a plain Map. Afterwards every document, every list and the
 * whole feed must agree: each change's before image is what was there, and its changes lead to what is there.
 * `TOMBOLO_SOAK=20` runs thousands of sequences.
 */
import type { Database } from 'bun:sqlite';
import { afterAll, beforeAll, expect, test } from 'bun:test';
import fc from 'fast-check';
import { Fault } from '../../../shared/wire/fault.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import type { Mutation } from '../../../origin/store/store.ts';
import { requestArbitrary, validArbitrary } from './arbitraries.ts';
import { changesTo } from './read-changes.ts';
import { decide, inTime, put, remove, withoutId } from './harness.ts';
import { readAll } from './list-suite.ts';
import { naiveList } from './naive.ts';
import { soakFactor } from './soak.ts';
import { openSqlitePlace, type SqlitePlace } from './sqlite-place.ts';
import { open as things } from './things.ts';

type Documents = Map<string, JsonObject>;

/** A call of `write`, which may throw as a whole. */
interface Call {
  readonly steps: readonly { readonly kind: 'put' | 'remove' | 'refuse' | 'append'; readonly id: string; readonly document: JsonObject }[];
  readonly throws: boolean;
}

const foreignKinds = [
  'insert', 'replace', 'replaceByN', 'ignore', 'upsert', 'rename', 'renameOver', 'renumberOver', 'delete', 'deleteAll',
  'updateAll', 'rolledBack',
] as const;

type Step =
  | { readonly kind: 'calls'; readonly calls: readonly Call[] }
  | {
      readonly kind: 'foreign';
      readonly what: (typeof foreignKinds)[number];
      readonly id: string;
      readonly other: string;
      readonly document: JsonObject;
    }
  | { readonly kind: 'reopen' };

const id = fc.constantFrom('a', 'b', 'c', 'd', '\u{ffff}', '\u{1f600}');
const call: fc.Arbitrary<Call> = fc.record({
  steps: fc.array(fc.record({ kind: fc.constantFrom('put', 'put', 'remove', 'refuse', 'append'), id, document: validArbitrary(things) }), {
    minLength: 1,
    maxLength: 3,
  }),
  throws: fc.integer({ max: 9 }).map((chance) => chance === 0),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('calls' as const), calls: fc.array(call, { minLength: 1, maxLength: 4 }) }) },
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant('foreign' as const), what: fc.constantFrom(...foreignKinds), id, other: id, document: validArbitrary(things),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'reopen' as const }) },
);

let place: SqlitePlace;
let program: Database;
beforeAll(async () => {
  place = await openSqlitePlace({ resources: [things] });
  program = place.foreign();
});
afterAll(() => place.remove());

test('whatever is written by whomever, documents, lists and feed agree', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 12 }),
      fc.boolean(),
      fc.array(requestArbitrary(things), { minLength: 3, maxLength: 6 }),
      async (steps, recursive, requests) => {
        program.run(`PRAGMA recursive_triggers = ${recursive ? 'ON' : 'OFF'}; DELETE FROM "open-things"`);
        const from = (await place.store.write([], inTime())).position;
        const expected: Documents = new Map();
        for (const each of steps) await carryOut(each, expected);
        const { position } = await place.store.write([], inTime());

        const replayed: Documents = new Map();
        for (const change of await changesTo(place.store, from, position)) {
          if (change.kind !== 'document') throw new Error('a change of the whole resource');
          expect([change.id, change.before]).toEqual([change.id, withId(change.id, replayed.get(change.id))]);
          if (change.after == null) replayed.delete(change.id);
          else replayed.set(change.id, withoutId(change.after));
        }
        expect(replayed).toEqual(expected);
        for (const request of requests) {
          const rows = await readAll(place.store, things, request);
          expect(rows.map((row) => row.document.id)).toEqual(
            naiveList(things, expected, { ...request, limit: 100 }).map((row) => row.id),
          );
          for (const { document } of rows) expect(withoutId(document.value)).toEqual(expected.get(document.id) ?? {});
        }
      },
    ),
    { numRuns: 200 * soakFactor },
  );
}, 60_000 * soakFactor);

async function carryOut(each: Step, expected: Documents): Promise<void> {
  if (each.kind === 'reopen') await place.reopen();
  else if (each.kind === 'calls') await callAll(each.calls, expected);
  else runForeign(each, expected);
}

/** All in one tick: they share a commit, and take effect in the order in which they were made. */
async function callAll(calls: readonly Call[], expected: Documents): Promise<void> {
  const settled = await Promise.allSettled(
    calls.map((made) => place.store.write([...made.steps.map(toMutation), ...(made.throws ? [broken] : [])], inTime())),
  );
  expect(settled.map(({ status }) => status)).toEqual(calls.map(({ throws }) => (throws ? 'rejected' : 'fulfilled')));
  for (const { steps } of calls.filter(({ throws }) => !throws)) for (const { kind, id: at, document } of steps) {
    if (kind === 'put') expected.set(at, document);
    if (kind === 'remove') expected.delete(at);
    if (kind === 'append') expected.set(at, appended(expected.get(at)));
  }
}

const broken = decide(things, 'a', () => {
  throw new Error('a bug');
});

function toMutation({ kind, id: at, document }: Call['steps'][number]): Mutation {
  if (kind === 'put') return put(things, at, document);
  if (kind === 'remove') return remove(things, at);
  if (kind === 'refuse') return decide(things, at, () => ({ kind: 'refuse', fault: new Fault('forbidden') }));
  return decide(things, at, (before) => ({ kind: 'put', document: appended(before === undefined ? undefined : withoutId(before.value)) }));
}

function appended(document: JsonObject | undefined): JsonObject {
  return { ...document, text: [...String(document?.['text'] ?? ''), '+'].slice(-5).join('') };
}

function withId(at: string, document: JsonObject | undefined): JsonObject | null {
  return document === undefined ? null : { id: at, ...document };
}

const table = '"open-things"';

/** A statement of plain SQL, and what it does to a Map. */
function runForeign({ what, id: at, other, document }: Extract<Step, { readonly kind: 'foreign' }>, expected: Documents): void {
  const doc = JSON.stringify(document);
  const run = (sql: string, ...values: string[]) => program.prepare(sql).run(...values);
  const moved = expected.get(at);
  switch (what) {
    case 'insert':
      if (expected.has(at)) return expect(() => run(`INSERT INTO ${table}(id, doc) VALUES (?, ?)`, at, doc)).toThrow('UNIQUE');
      run(`INSERT INTO ${table}(id, doc) VALUES (?, ?)`, at, doc);
      return void expected.set(at, document);
    case 'replace':
      run(`INSERT OR REPLACE INTO ${table}(id, doc) VALUES (?, ?)`, at, doc);
      return void expected.set(at, document);
    case 'replaceByN':
      run(`INSERT OR REPLACE INTO ${table}(n, id, doc) VALUES ((SELECT n FROM ${table} WHERE id = ?), ?, ?)`, other, at, doc);
      expected.delete(other);
      return void expected.set(at, document);
    case 'ignore':
      run(`INSERT OR IGNORE INTO ${table}(id, doc) VALUES (?, ?)`, at, doc);
      if (!expected.has(at)) expected.set(at, document);
      return;
    case 'upsert':
      run(`INSERT INTO ${table}(id, doc) VALUES (?, ?) ON CONFLICT(id) DO UPDATE SET doc = excluded.doc`, at, doc);
      return void expected.set(at, document);
    case 'rename':
      run(`UPDATE OR IGNORE ${table} SET id = ? WHERE id = ?`, other, at);
      if (moved !== undefined && !expected.has(other)) rename(expected, at, other, moved);
      return;
    case 'renameOver':
      run(`UPDATE OR REPLACE ${table} SET id = ?, doc = ? WHERE id = ?`, other, doc, at);
      if (moved !== undefined) rename(expected, at, other, document);
      return;
    case 'renumberOver':
      run(
        `UPDATE OR REPLACE ${table} SET n = (SELECT n FROM ${table} WHERE id = ?)
         WHERE id = ? AND EXISTS (SELECT 1 FROM ${table} WHERE id = ?)`,
        other, at, other,
      );
      if (moved !== undefined && at !== other) expected.delete(other);
      return;
    case 'delete':
      run(`DELETE FROM ${table} WHERE id = ?`, at);
      return void expected.delete(at);
    case 'deleteAll':
      run(`DELETE FROM ${table}`);
      return expected.clear();
    case 'updateAll':
      run(`UPDATE ${table} SET doc = ?`, doc);
      for (const each of expected.keys()) expected.set(each, document);
      return;
    case 'rolledBack':
      program.run('BEGIN');
      run(`INSERT OR REPLACE INTO ${table}(id, doc) VALUES (?, ?)`, at, doc);
      run(`DELETE FROM ${table} WHERE id = ?`, other);
      program.run('ROLLBACK');
  }
}

function rename(expected: Documents, from: string, to: string, document: JsonObject): void {
  expected.delete(from);
  expected.set(to, document);
}
