/** What is written together, on any engine: atomic writes, what a write causes, and a consumer's cursor. */
import { describe, expect, test } from 'bun:test';
import { Fault } from '../../../shared/wire/fault.ts';
import type { Position } from '../../../shared/wire/position.ts';
import type { Decision, FollowUp, Outcome, PlainDecision, Store, WriteOptions } from '../../../origin/store/store.ts';
import { BlockPlace } from './block-place.ts';
import { decide, inTime, type OpenPlace, put, reasonOf, remove, textOf } from './harness.ts';
import { changesTo } from './read-changes.ts';
import { open as things } from './things.ts';

const refuse = (id: string) => decide(things, id, (): PlainDecision => ({ kind: 'refuse', fault: new Fault('forbidden') }));
const counting = (id: string): FollowUp => ({
  resource: things, id, decide: (before) => ({ kind: 'put', document: { size: Number(before?.value['size'] ?? 0) + 1 } }),
});
const causing = (id: string, ...also: readonly FollowUp[]) =>
  decide(things, id, (): Decision => ({ kind: 'put', document: { text: id }, also }));
const kinds = (outcomes: readonly Outcome[]) => outcomes.map(({ kind }) => kind);

export function togetherSuite(open: OpenPlace): void {
  const place = new BlockPlace(open, [things]);
  const texts = (...ids: readonly string[]) => Promise.all(ids.map((id) => textOf(place.store, things, id)));

  describe('an atomic write', () => {
    const atomic = (...mutations: Parameters<Store['write']>[0]) => place.store.write(mutations, { ...inTime(), atomic: true });

    test('writes all of its mutations', async () => {
      expect(kinds((await atomic(put(things, 'a1', {}), put(things, 'a2', {}))).outcomes)).toEqual(['written', 'written']);
      expect(await texts('a1', 'a2')).toEqual(['{"id":"a1"}', '{"id":"a2"}']);
    });

    test('writes none when one is refused, and says which', async () => {
      await atomic(put(things, 'a3', { size: 1 }));
      const { outcomes } = await atomic(put(things, 'a4', {}), remove(things, 'a3'), refuse('a5'), put(things, 'a6', {}));
      expect(kinds(outcomes)).toEqual(['undone', 'undone', 'refused', 'undone']);
      expect(await texts('a3', 'a4', 'a5', 'a6')).toEqual(['{"id":"a3","size":1}', undefined, undefined, undefined]);
    });

    test('of what the store itself refuses writes none either', async () => {
      const { outcomes } = await atomic(put(things, 'a7', {}), put(things, 'a8', { text: 'a\ud800' }));
      expect(kinds(outcomes)).toEqual(['undone', 'refused']);
      expect(await texts('a7', 'a8')).toEqual([undefined, undefined]);
    });

    test('leaves the writes of the same moment alone', async () => {
      const [undone, other] = await Promise.all([
        atomic(put(things, 'a9', {}), refuse('a10')),
        place.store.write([put(things, 'a11', {}), refuse('a12')], inTime()),
      ]);
      expect([kinds(undone.outcomes), kinds(other.outcomes)]).toEqual([['undone', 'refused'], ['written', 'refused']]);
      expect(await texts('a9', 'a11')).toEqual([undefined, '{"id":"a11"}']);
    });

    test('decides on what others of the same moment have left', async () => {
      const add = counting('a13');
      await Promise.all([atomic(add, refuse('a14')), ...Array.from({ length: 20 }, () => atomic(add, add)), atomic(refuse('a14'), add)]);
      expect(await texts('a13')).toEqual(['{"id":"a13","size":40}']);
    });
  });

  describe('what a write causes', () => {
    test('is written with it, and decided on what is there', async () => {
      await place.store.write([put(things, 'f1', { size: 1 })], inTime());
      const add = counting('f1');
      const { outcomes } = await place.store.write([causing('f2', add, put(things, 'f3', {})), causing('f4', add)], inTime());
      expect(kinds(outcomes)).toEqual(['written', 'written']);
      expect(await texts('f1', 'f2', 'f3', 'f4')).toEqual([
        '{"id":"f1","size":3}',
        '{"id":"f2","text":"f2"}',
        '{"id":"f3"}',
        '{"id":"f4","text":"f4"}',
      ]);
    });

    test('takes its cause with it when it is refused, and nothing else', async () => {
      const { outcomes } = await place.store.write(
        [put(things, 'f5', {}), causing('f6', put(things, 'f7', {}), refuse('f8')), put(things, 'f9', {})],
        inTime(),
      );
      expect(kinds(outcomes)).toEqual(['written', 'refused', 'written']);
      expect(await texts('f5', 'f6', 'f7', 'f8', 'f9')).toEqual(['{"id":"f5"}', undefined, undefined, undefined, '{"id":"f9"}']);
    });

    test('is not decided when its cause is refused', async () => {
      let asked = 0;
      const asking = decide(things, 'f10', (): PlainDecision => (asked++, { kind: 'put', document: {} }));
      const { outcomes } = await place.store.write(
        [decide(things, 'f11', () => ({ kind: 'put', document: { text: 'a\ud800' }, also: [asking] }))],
        inTime(),
      );
      expect([kinds(outcomes), asked, ...(await texts('f10', 'f11'))]).toEqual([['refused'], 0, undefined, undefined]);
    });

    test('is told of by the feed like any write', async () => {
      const from = await place.store.head();
      const { position } = await place.store.write([causing('f12', put(things, 'f13', {}))], inTime());
      const changes = await changesTo(place.store, from, position);
      expect(changes.map((change) => change.kind === 'document' && change.id)).toEqual(['f12', 'f13']);
    });
  });

  describe('a cursor', () => {
    const move = (
      consumer: string,
      from: Position | undefined,
      to: Position,
      more: Partial<WriteOptions> = {},
      ...mutations: Parameters<Store['write']>[0]
    ) => place.store.write(mutations, { ...inTime(), ...more, cursor: { consumer, from, to } });
    const at = (epoch: string, number: number): Position => ({ epoch, order: String(number).padStart(20, '0') });

    test('moves with what its consumer writes', async () => {
      const { epoch } = await place.store.head();
      await move('c1', undefined, at(epoch, 1), {}, put(things, 'm1', {}));
      await place.reopen();
      expect([await place.store.cursor('c1'), ...(await texts('m1'))]).toEqual([at(epoch, 1), '{"id":"m1"}']);
    });

    test('that stands elsewhere refuses the whole write', async () => {
      const { epoch } = await place.store.head();
      await move('c2', undefined, at(epoch, 1));
      expect(await reasonOf(move('c2', undefined, at(epoch, 2), {}, put(things, 'm2', {})))).toBe('cursor_moved');
      expect(await reasonOf(move('c2', at(epoch, 7), at(epoch, 8), {}, put(things, 'm2', {})))).toBe('cursor_moved');
      expect([await place.store.cursor('c2'), ...(await texts('m2'))]).toEqual([at(epoch, 1), undefined]);
    });

    test('is moved by one of several that try', async () => {
      const { epoch } = await place.store.head();
      const tries = await Promise.allSettled(
        Array.from({ length: 8 }, (_, index) => move('c3', undefined, at(epoch, 3), {}, put(things, `m3-${index}`, {}))),
      );
      expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect((await texts(...tries.map((_, index) => `m3-${index}`))).filter((text) => text !== undefined)).toHaveLength(1);
    });

    test('stays where it is when an atomic write is undone', async () => {
      const { epoch } = await place.store.head();
      const { outcomes } = await move('c4', undefined, at(epoch, 1), { atomic: true }, put(things, 'm4', {}), refuse('m5'));
      expect([kinds(outcomes), await place.store.cursor('c4'), ...(await texts('m4'))]).toEqual([
        ['undone', 'refused'], undefined, undefined,
      ]);
    });

    test('moves past what is refused on its own', async () => {
      const { epoch } = await place.store.head();
      await move('c5', undefined, at(epoch, 1), {}, refuse('m6'));
      expect(await place.store.cursor('c5')).toEqual(at(epoch, 1));
    });

    test('stays where it is when the write throws', async () => {
      const { epoch } = await place.store.head();
      const broken = decide(things, 'm7', () => {
        throw new Error('a bug');
      });
      expect((await Promise.allSettled([move('c6', undefined, at(epoch, 1), {}, put(things, 'm8', {}), broken)]))[0]?.status).toBe(
        'rejected',
      );
      expect([await place.store.cursor('c6'), ...(await texts('m8'))]).toEqual([undefined, undefined]);
    });
  });
}
