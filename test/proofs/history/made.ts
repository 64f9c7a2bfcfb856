/** Histories made by hand: a good one of one review and one film, to be broken in one place at a time. */
import type { Position } from '../../../shared/wire/position.ts';
import type { Commit, Heard, History, Image, Read, Write } from './history.ts';

const epoch = 'e'.repeat(16);

export function at(order: number): Position {
  return { epoch, order: order.toString(16).padStart(20, '0') };
}

export function image(id: string, rev: number, tag: string, visibleTo?: string): Image {
  return { id, rev, tag, whole: true, visibleTo };
}

export function write(given: Partial<Write> & Pick<Write, 'verb' | 'tag'>): Write {
  return { askedAt: 0, answeredAt: 10, outcome: 'acked', ...given };
}

export function commit(order: number, given: Partial<Commit> & Pick<Commit, 'id'>): Commit {
  return { position: at(order), group: 'g', live: true, before: undefined, after: undefined, ...given };
}

function read(given: Partial<Read>): Read {
  return { askedAt: 5_000, answeredAt: 5_010, subject: undefined, demanded: undefined, about: { id: 'a' }, seen: [], ...given };
}

export function event(order: number, name: Heard['name'], given: Partial<Heard> = {}): Heard {
  return { name, position: at(order), ...given };
}

const [one, two, three] = [image('a', 1, 't1'), image('a', 2, 't2'), image('a', 3, 't3')];

/** `a` is created, changed twice and removed; everybody sees and hears all of it. */
export const good: History = {
  staleMsMax: 1_000,
  writes: [
    write({
      verb: 'create', tag: 't1', id: 'a', rev: 1, key: 'k1', body: 'one', position: at(11), outcome: 'acked', askedAt: 100,
      answeredAt: 110,
    }),
    write({ verb: 'create', tag: 't1', id: 'a', rev: 1, key: 'k1', body: 'one', position: at(12), askedAt: 111, answeredAt: 115 }),
    write({ verb: 'patch', tag: 't2', id: 'a', outcome: 'unknown', askedAt: 200, answeredAt: 210 }),
    write({ verb: 'patch', tag: 't3', id: 'a', rev: 3, position: at(13), askedAt: 300, answeredAt: 310 }),
    write({ verb: 'patch', tag: 'never', id: 'a', outcome: 'unknown', askedAt: 320, answeredAt: 330 }),
    write({ verb: 'remove', tag: 'removed a', id: 'a', position: at(14), askedAt: 4_000, answeredAt: 4_010 }),
  ],
  commits: [
    commit(11, { id: 'a', after: one }), commit(12, { id: 'a', before: one, after: two }),
    commit(13, { id: 'a', before: two, after: three }), commit(14, { id: 'a', before: three }),
  ],
  reads: [
    read({ askedAt: 90, answeredAt: 120 }), read({ askedAt: 120, answeredAt: 130, seen: [one] }),
    read({ askedAt: 1_305, answeredAt: 1_306, seen: [two] }),
    read({ askedAt: 1_305, answeredAt: 1_306, demanded: at(13), seen: [three], about: { group: 'g' } }),
    read({ askedAt: 4_500, answeredAt: 4_501, seen: [three] }), read({ askedAt: 5_500, answeredAt: 5_501 }),
  ],
  subscribers: [{
    name: 'listener', subject: undefined,
    heard: [
      event(10, 'heartbeat'), event(11, 'created', { id: 'a', rev: 1, tag: 't1' }), event(12, 'updated', { id: 'a', rev: 2, tag: 't2' }),
      // It comes back with an older id: the same event under the same id is no fault.
      event(11, 'heartbeat'), event(12, 'updated', { id: 'a', rev: 2, tag: 't2' }), event(13, 'updated', { id: 'a', rev: 3, tag: 't3' }),
      event(14, 'deleted', { id: 'a' }), event(14, 'heartbeat'),
    ],
  }],
};

/** The good history with other words heard. */
export function hearing(...heard: readonly Heard[]): History {
  return { ...good, subscribers: [{ name: 'listener', subject: undefined, heard }] };
}

export function reading(given: Partial<Read>): History {
  return { ...good, reads: [read(given)] };
}
