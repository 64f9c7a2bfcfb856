/** What a report raises, and when it begins with a whole resource. */
import { expect, test } from 'bun:test';
import { RaisedBuckets } from '../../../origin/purge/raised-buckets.ts';
import type { Change } from '../../../shared/contract/change.ts';

const order = (at: number) => String(at).padStart(20, '0');
const changesOf = (resource: string, count: number, from: number): readonly Change[] =>
  Array.from({ length: count }, (_, index) => ({
    kind: 'document', position: { epoch: 'e', order: order(from + index) }, resource, id: String(index), before: null, after: {},
  }));

/** Takes what comes together as the purge does; each change of a resource that is not whole has keys of its own. */
function hear(pending: RaisedBuckets, changes: readonly Change[], keysEach: number): void {
  pending.goOn(changes);
  for (const { position, resource } of changes) {
    const keys = Array.from({ length: keysEach }, (_, key) => `${position.order}/${key}`);
    pending.add(position, { resource, keys: pending.isWhole(resource) ? undefined : new Set(keys) });
  }
}

test('an import goes on as it was reported last: as a whole, up to its last change', () => {
  const pending = new RaisedBuckets();
  hear(pending, changesOf('films', 250, 1), 6);
  expect(pending.take()).toEqual({ raised: {}, whole: { films: order(250) } });
  hear(pending, changesOf('films', 120, 251), 6);
  expect(pending.take()).toEqual({ raised: {}, whole: { films: order(370) } });
});

test('after it single changes raise their own, whatever else is changed beside them', () => {
  const pending = new RaisedBuckets();
  hear(pending, changesOf('films', 250, 1), 6);
  pending.take();
  hear(pending, [...changesOf('films', 1, 251), ...changesOf('jobs', 300, 252)], 1);
  const { raised, whole } = pending.take();
  expect([Object.keys(raised['films'] ?? {}).length, Object.keys(raised).sort(), whole]).toEqual([1, ['films', 'jobs'], {}]);
});

test('what comes a report later is no part of it', () => {
  const pending = new RaisedBuckets();
  hear(pending, changesOf('films', 250, 1), 6);
  pending.take();
  pending.take();
  hear(pending, changesOf('films', 120, 251), 1);
  expect(pending.take().whole).toEqual({});
});
