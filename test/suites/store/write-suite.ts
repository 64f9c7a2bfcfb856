/** What a write promises, on any engine. */
import { describe, expect, test } from 'bun:test';
import type { Json, JsonObject } from '../../../shared/wire/values.ts';
import { Fault } from '../../../shared/wire/fault.ts';
import type { Decision, Outcome } from '../../../origin/store/store.ts';
import { BlockPlace } from './block-place.ts';
import { decide, inTime, type OpenPlace, put, reasonOf, remove, textOf } from './harness.ts';
import { open as things } from './things.ts';

export function writeSuite(open: OpenPlace): void {
  const place = new BlockPlace(open, [things]);
  const { write } = place;
  const text = (id: string) => textOf(place.store, things, id);

  describe('a write', () => {
    test('stores a document whose text begins with its id', async () => {
      const { outcomes } = await write(put(things, 'w1', { text: 'x', size: 1 }));
      expect(outcomes.map(afterText)).toEqual(['{"id":"w1","text":"x","size":1}']);
      expect(await text('w1')).toBe('{"id":"w1","text":"x","size":1}');
    });

    test('keeps documents as they are, the empty one and odd text included', async () => {
      const odd: JsonObject = { text: 'nul\u0000l "\\ud800" \u{1f600} \u2028', size: -1.5e-7 };
      await write(put(things, 'e"\\\u0001é\u{1f600}', odd), put(things, 'w-empty', {}));
      expect(JSON.parse((await text('e"\\\u0001é\u{1f600}')) ?? '')).toEqual({ id: 'e"\\\u0001é\u{1f600}', ...odd });
      expect(await text('w-empty')).toBe('{"id":"w-empty"}');
    });

    test('is found with others by their ids in one read, those that are not there left out', async () => {
      await write(put(things, 'm1', { size: 1 }), put(things, 'm2', { size: 2 }));
      const { value } = await place.store.many(things, ['m2', 'm-none', 'm1'], inTime());
      expect(value.map(({ text: found }) => found).sort()).toEqual(['{"id":"m1","size":1}', '{"id":"m2","size":2}']);
      expect((await place.store.many(things, [], inTime())).value).toEqual([]);
    });

    test('replaces and removes, and says what was there before', async () => {
      await write(put(things, 'w2', { size: 1 }));
      const replaced = await write(put(things, 'w2', { size: 2 }));
      const removed = await write(remove(things, 'w2'));
      const again = await write(remove(things, 'w2'));
      expect(
        [replaced, removed, again].flatMap(({ outcomes }) => outcomes.map((outcome) => [beforeText(outcome), afterText(outcome)])),
      ).toEqual([
        ['{"id":"w2","size":1}', '{"id":"w2","size":2}'], ['{"id":"w2","size":2}', undefined], [undefined, undefined],
      ]);
      expect(await text('w2')).toBeUndefined();
    });

    test('that keeps what is there writes nothing and tells of nothing', async () => {
      await place.store.write([put(things, 'a', { n: 1 })], inTime());
      const head = await place.store.head();
      const keep = decide(things, 'a', () => ({ kind: 'keep' }));
      const { outcomes } = await place.store.write([keep, decide(things, 'none', () => ({ kind: 'keep' }))], inTime());
      expect(outcomes.map((outcome) => outcome.kind === 'written' && [outcome.before?.value, outcome.after?.value])).toEqual([
        [
          { id: 'a', n: 1 },
          { id: 'a', n: 1 },
        ],
        [undefined, undefined],
      ]);
      await place.store.write([put(things, 'b', { n: 2 })], inTime());
      for await (const batch of place.store.watch(head, AbortSignal.timeout(5_000))) {
        if ('lost' in batch) throw new Error('history was lost');
        if (batch.changes.length === 0) continue;
        expect(batch.changes.map((change) => change.kind === 'document' && change.id)).toEqual(['b']);
        break;
      }
    });

    test('decides on the document as earlier mutations of the same call left it', async () => {
      const add = decide(things, 'w3', (before) => ({ kind: 'put', document: { size: Number(before?.value['size'] ?? 0) + 1 } }));
      await write(add, add, remove(things, 'w3'), add, add, add);
      expect(await text('w3')).toBe('{"id":"w3","size":3}');
    });

    test('loses no increment among many at once', async () => {
      const add = decide(things, 'w4', (before) => ({ kind: 'put', document: { size: Number(before?.value['size'] ?? 0) + 1 } }));
      await Promise.all(Array.from({ length: 300 }, () => write(add)));
      expect(await text('w4')).toBe('{"id":"w4","size":300}');
    });

    test('leaves nothing of a refused mutation and everything of the others', async () => {
      const refuse = decide(things, 'w5', () => ({ kind: 'refuse', fault: new Fault('forbidden') }));
      const { outcomes } = await write(put(things, 'w6', { size: 6 }), refuse, put(things, 'w7', { size: 7 }));
      expect(outcomes.map(({ kind }) => kind)).toEqual(['written', 'refused', 'written']);
      expect([await text('w5'), await text('w6'), await text('w7')]).toEqual([undefined, '{"id":"w6","size":6}', '{"id":"w7","size":7}']);
    });

    test('refuses text that is no Unicode', async () => {
      const { outcomes } = await write(put(things, 'w8', { text: 'a\ud800' }), put(things, 'w9', { text: '\\ud800' }));
      expect(outcomes.map(({ kind }) => kind)).toEqual(['refused', 'written']);
    });

    test('refuses what is nested too deeply', async () => {
      const nested = (levels: number): JsonObject => ({ inner: Array.from({ length: levels - 1 }).reduce<Json>((inner) => [inner], 'x') });
      const { outcomes } = await write(
        put(things, 'deep', nested(100)),
        put(things, 'deeper', nested(101)),
        put(things, 'deepest', nested(3_000)),
      );
      expect(outcomes.map((outcome) => (outcome.kind === 'refused' ? outcome.fault.reason : outcome.kind))).toEqual([
        'written',
        'document_invalid',
        'document_invalid',
      ]);
    });

    test('refuses an id that is none, and one inside the document', async () => {
      const { outcomes } = await write(put(things, '', {}), put(things, 'a\udfff', {}), put(things, 'w-inside', { id: 'w-inside' }));
      expect(outcomes.map((outcome) => outcome.kind === 'refused' && [outcome.fault.reason, outcome.fault.errors[0]?.at])).toEqual(
        Array.from({ length: 3 }, () => ['document_invalid', '/id']),
      );
      expect(await text('w-inside')).toBeUndefined();
    });

    test('that throws is undone whole, and its neighbours are not', async () => {
      const broken = decide(things, 'w11', () => {
        throw new Error('a bug');
      });
      const calls = await Promise.allSettled([
        write(put(things, 'w10', { size: 1 })),
        write(put(things, 'w12', { size: 1 }), broken),
        write(put(things, 'w13', { size: 1 })),
      ]);
      expect(calls.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      expect([await text('w10'), await text('w12'), await text('w13')]).toEqual([
        '{"id":"w10","size":1}',
        undefined,
        '{"id":"w13","size":1}',
      ]);
    });

    test('cannot wait inside its transaction', async () => {
      const waiting = decide(things, 'w14', asDecision(async () => ({ kind: 'put', document: {} })));
      await expect(write(put(things, 'w15', {}), waiting)).rejects.toThrow('no decision');
      expect([await text('w14'), await text('w15')]).toEqual([undefined, undefined]);
    });

    test('past its deadline writes nothing', async () => {
      expect(await reasonOf(place.store.write([put(things, 'w16', {})], { deadline: Date.now() - 1 }))).toBe('deadline_exceeded');
      expect(await text('w16')).toBeUndefined();
    });

    test('is seen by whoever brings its position', async () => {
      const { position } = await write(put(things, 'w17', { size: 17 }));
      const read = await place.store.get(things, 'w17', { ...inTime(), atLeast: position });
      expect(read.value?.value['size']).toBe(17);
      expect(read.position.order >= position.order).toBeTrue();
    });

    test('moves the position, and a later one moves it further', async () => {
      const first = await write(put(things, 'w18', { size: 1 }));
      const second = await write(put(things, 'w18', { size: 2 }));
      expect(second.position.order > first.position.order).toBeTrue();
      expect((await place.store.head()).order >= second.position.order).toBeTrue();
    });
  });

  describe('a read', () => {
    test('past its deadline gives nothing', async () => {
      expect(await reasonOf(place.store.get(things, 'w1', { deadline: Date.now() - 1 }))).toBe('deadline_exceeded');
    });

    test('of a position that this store never had is refused', async () => {
      const { epoch, order } = await place.store.head();
      const beyond = { epoch, order: order.replace(/^./, 'f') };
      expect(await reasonOf(place.store.get(things, 'w1', { ...inTime(1_000), atLeast: beyond }))).toBe('store_unavailable');
    });

    test('ignores a position of another epoch', async () => {
      const other = { epoch: '0'.repeat(16), order: (await place.store.head()).order.replace(/^./, 'f') };
      expect((await place.store.get(things, 'w1', { ...inTime(), atLeast: other })).value?.id).toBe('w1');
    });
  });

  describe('a nonce', () => {
    const spend = (value: string, id: string) =>
      place.store.write([put(things, id, {})], { ...inTime(), nonce: { value, expiresAt: Date.now() + 60_000 } });

    test('met a second time refuses the whole write', async () => {
      await spend('n1', 'n-first');
      expect(await reasonOf(spend('n1', 'n-second'))).toBe('hop_replayed');
      expect([await text('n-first'), await text('n-second')]).toEqual(['{"id":"n-first"}', undefined]);
    });

    test('is spent once by twins of one tick', async () => {
      const twins = await Promise.allSettled([spend('n2', 'n-a'), spend('n2', 'n-b'), spend('n2', 'n-c')]);
      expect(twins.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
      expect([await text('n-a'), await text('n-b')]).toEqual(['{"id":"n-a"}', undefined]);
    });

    test('is spent by a write that was refused', async () => {
      const refuse = decide(things, 'n-refused', () => ({ kind: 'refuse', fault: new Fault('forbidden') }));
      await place.store.write([refuse], { ...inTime(), nonce: { value: 'n3', expiresAt: Date.now() + 60_000 } });
      expect(await reasonOf(spend('n3', 'n-d'))).toBe('hop_replayed');
    });

    test('stays spent when the store is opened again', async () => {
      await spend('n4', 'n-e');
      await place.reopen();
      expect(await reasonOf(spend('n4', 'n-f'))).toBe('hop_replayed');
    });
  });

  describe('an idempotency key', () => {
    const answer = (outcomes: readonly Outcome[]) => JSON.stringify(outcomes.map(afterText));
    const run = (key: string, fingerprint: string, id: string) =>
      place.store.write([put(things, id, { text: fingerprint })], { ...inTime(), once: { key, fingerprint, answer } });

    test('has one effect and one answer', async () => {
      const first = await run('k1', 'f', 'o1');
      const second = await run('k1', 'f', 'o2');
      expect(first.replayed).toBeUndefined();
      expect(second).toMatchObject({ outcomes: [], replayed: '["{\\"id\\":\\"o1\\",\\"text\\":\\"f\\"}"]' });
      expect(await text('o2')).toBeUndefined();
    });

    test('refuses another request', async () => {
      await run('k2', 'f', 'o3');
      expect(await reasonOf(run('k2', 'g', 'o4'))).toBe('idempotency_mismatch');
      expect(await text('o4')).toBeUndefined();
    });

    test('has one effect among twins of one tick', async () => {
      const twins = await Promise.all(Array.from({ length: 20 }, (_, index) => run('k3', 'f', `o5-${index}`)));
      expect(twins.filter(({ replayed }) => replayed === undefined)).toHaveLength(1);
      expect(new Set(twins.flatMap(({ replayed }) => replayed ?? []))).toEqual(new Set(['["{\\"id\\":\\"o5-0\\",\\"text\\":\\"f\\"}"]']));
    });

    test('leaves nothing when the write throws, and can be used again', async () => {
      const broken = place.store.write([put(things, 'o6', {})], {
        ...inTime(),
        once: { key: 'k4', fingerprint: 'f', answer: () => JSON.parse('{') },
      });
      expect((await Promise.allSettled([broken]))[0].status).toBe('rejected');
      expect(await text('o6')).toBeUndefined();
      expect((await run('k4', 'f', 'o6')).replayed).toBeUndefined();
    });

    test('is known when the store is opened again', async () => {
      await run('k5', 'f', 'o7');
      await place.reopen();
      expect((await run('k5', 'f', 'o8')).replayed).toBe('["{\\"id\\":\\"o7\\",\\"text\\":\\"f\\"}"]');
    });
  });

  describe('the store', () => {
    test('keeps the cursors of its consumers', async () => {
      expect(await place.store.cursor('nobody')).toBeUndefined();
      const position = await place.store.head();
      const early = { epoch: position.epoch, order: '0'.repeat(20) };
      await place.store.write([], { ...inTime(), cursor: { consumer: 'purge', from: undefined, to: early } });
      await place.store.write([], { ...inTime(), cursor: { consumer: 'purge', from: early, to: position } });
      await place.reopen();
      expect(await place.store.cursor('purge')).toEqual(position);
    });

    test('finishes what it accepted before it closes', async () => {
      const accepted = Array.from({ length: 50 }, (_, index) => write(put(things, `c${index}`, { size: index })));
      await place.reopen();
      expect((await Promise.all(accepted)).flatMap(({ outcomes }) => outcomes.map(({ kind }) => kind))).toEqual(
        Array.from({ length: 50 }, () => 'written'),
      );
      expect(await text('c49')).toBe('{"id":"c49","size":49}');
    });

    test('refuses to read and write when it is closed, and can be closed again', async () => {
      const closed = place.store;
      await place.reopen();
      expect(await reasonOf(closed.write([put(things, 'late', {})], inTime()))).toBe('store_unavailable');
      expect(await reasonOf(closed.get(things, 'late', inTime()))).toBe('store_unavailable');
      await closed.close();
    });
  });
}

/** What the types forbid, to see that it is refused as well. */
function asDecision(run: () => Promise<Decision>): () => Decision {
  return run as unknown as () => Decision;
}

function afterText(outcome: Outcome): string | undefined {
  return outcome.kind === 'written' ? outcome.after?.text : undefined;
}

function beforeText(outcome: Outcome): string | undefined {
  return outcome.kind === 'written' ? outcome.before?.text : undefined;
}
