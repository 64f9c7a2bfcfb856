/**
 * Each kind of read looks into what it finds and little more; `npm run soak -- --only bounds`, and `--only 'bounds on MongoDB'`,
 * ask the same among 100 000 documents.
 */
import { expect, test } from 'bun:test';
import { engines } from '../../support/whole-world.ts';
import { grownLooks, type Looks, looksOf, tooManyLooks } from './work-bounds.ts';

const documents = 1_000;

test.each([...engines])('a read among a thousand documents looks into what it finds and little more, on %s', async (engine) => {
  expect(tooManyLooks(await looksOf(engine, documents, { seed: 1, questionsEach: 1 }))).toEqual([]);
}, 180_000);

test('a walk over all documents, and one that grows with them, are too much', () => {
  const of = (engine: Looks['engine'], count: number): Looks => ({
    engine, documents: count, looked: { list: count }, usual: { list: count }, withoutIndex: [], whole: count,
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
