/**
 * Each kind of read looks into what it finds and little more; `npm run soak -- --only bounds` asks the same among 100 000 documents,
 * and so does `--only 'bounds on MongoDB'`.
 */
import { expect, test } from 'bun:test';
import { closeSync, openSync, readSync } from 'node:fs';
import { engines } from '../../support/whole-world.ts';
import { CountedStore, toKind } from './counted-store.ts';
import { grownLooks, type Looks, looksOf, tooManyLooks } from './work-bounds.ts';

const documents = 1_000;

test.each([...engines])('a read among a thousand documents looks into what it finds and little more, on %s', async (engine) => {
  expect(tooManyLooks(await looksOf(engine, documents, { seed: 1, questionsEach: 1 }))).toEqual([]);
}, 180_000);

test('a walk over all documents, and one that grows with them, are too much', () => {
  const of = (engine: Looks['engine'], count: number): Looks => ({
    engine, documents: count, looked: { list: count }, shared: { list: [20, count] }, withoutIndex: [], whole: count,
  });
  expect(tooManyLooks(of('mongodb', 1_000))).toContain('mongodb, list: looked 1000 times among 1000 documents, 24 at most');
  expect(tooManyLooks(of('sqlite', 1_000))).toContain('sqlite, list: looked 1000 times among 1000 documents, 80 at most');
  expect(tooManyLooks({ ...of('mongodb', 1_000), withoutIndex: ['near'] })).toContain(
    'mongodb, near: walked a collection of 1000 documents by no index',
  );
  expect(tooManyLooks({ ...of('sqlite', 1_000), whole: 999 })).toEqual(['sqlite: an export of 1000 documents is counted as 999 looks']);
  expect(grownLooks(of('mongodb', 20), of('mongodb', 41))).toEqual([
    'mongodb, list: looked 41 times among 41 documents, 20 times among 20',
  ]);
  expect(grownLooks(of('mongodb', 20), of('mongodb', 40))).toEqual([]);
});

test('a relation that lists has two pages more for each document that it lists by, and one that follows a field has not', () => {
  const of = (name: string, count: number): Looks => ({
    engine: 'sqlite', documents: 100_000, looked: { [name]: count }, shared: {}, withoutIndex: [], whole: 100_000,
  });
  const told = (name: string, count: number) => tooManyLooks(of(name, count)).filter((line) => line.startsWith(`sqlite, ${name}:`));
  expect(told('expand', 140)).toEqual([]);
  expect(told('expand', 141)).toEqual(['sqlite, expand: looked 141 times among 100000 documents, 140 at most']);
  expect(told('expand many', 180)).toEqual([]);
  expect(told('expand many', 181)).toEqual(['sqlite, expand many: looked 181 times among 100000 documents, 180 at most']);
});

const [readsOfTurn, turns] = [1_000, 100];

test('what is read in other turns of the event loop, as tidying does, is no look of a question', async () => {
  await using store = await CountedStore.on('sqlite', 200);
  const others = readInTurns();
  const { examined } = await store.looked('export', { query: `?kind=${toKind(0)}` });
  expect(examined).toBeLessThan(readsOfTurn);
  await others;
});

async function readInTurns(): Promise<void> {
  const file = openSync(import.meta.path, 'r');
  for (let turn = 0; turn < turns; turn++) {
    for (let read = 0; read < readsOfTurn; read++) readSync(file, new Uint8Array(1), 0, 1, 0);
    await Bun.sleep(0);
  }
  closeSync(file);
}
