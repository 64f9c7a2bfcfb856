/** What an answer is known to be made of, where not every read of its handler ends well. */
import { expect, test } from 'bun:test';
import { ReadLedger } from '../../../origin/access/read-ledger.ts';

const digest = '0'.repeat(16);
const at = (order: string) => ({ position: { epoch: 'a'.repeat(16), order } });
const never = at('');
const of = (resource: string, ...buckets: number[]) => [{ resource, buckets }];

test('reads that end are stated, at the earliest of their states', async () => {
  const ledger = new ReadLedger();
  const both = [ledger.reading(of('films', 1), Promise.resolve(at('0002'))), ledger.reading(of('films', 2), Promise.resolve(at('0001')))];
  await Promise.all(both);
  await ledger.reading(of('reviews', 3), Promise.resolve(at('0003')));
  expect(ledger.stated(digest)).toEqual({ digest, dependencies: [...of('films', 1, 2), ...of('reviews', 3)] });
  expect(ledger.position?.order).toBe('0001');
});

test('one that fails, and is passed over, leaves nobody knowing what the answer depends on', async () => {
  const ledger = new ReadLedger();
  await ledger.reading(of('films', 1), Promise.resolve(at('0001')));
  const failed = ledger.reading(of('reviews', 3), Promise.reject(new Error('away'))).catch(() => 'instead');
  expect(await failed).toBe('instead');
  expect(ledger.stated(digest)).toEqual({ uncached: 'failed-read' });
});

test('one that was not waited for is not known either', async () => {
  const ledger = new ReadLedger();
  await ledger.reading(of('films', 1), Promise.resolve(at('0001')));
  void ledger.reading(of('reviews', 3), new Promise<typeof never>(() => undefined));
  expect(ledger.stated(digest)).toEqual({ uncached: 'failed-read' });
});
