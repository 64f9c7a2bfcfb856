/** The checker is shown bad histories: what it does not catch here, it would not catch in a run. */
import { describe, expect, test } from 'bun:test';
import { check } from './check.ts';
import type { Heard, History, Law } from './history.ts';
import { at, commit, event, good, hearing, image, reading, write } from './made.ts';

const lawsOf = (history: History): Law[] => [...new Set(check(history).map(({ law }) => law))].sort();
const created = event(11, 'created', { id: 'a', rev: 1, tag: 't1' });
const second = event(12, 'updated', { id: 'a', rev: 2, tag: 't2' });
const third = event(13, 'updated', { id: 'a', rev: 3, tag: 't3' });
const deleted = event(14, 'deleted', { id: 'a' });
const begin = event(10, 'heartbeat');

test('finds nothing in a good history', () => expect(check(good)).toEqual([]));

describe('writes', () => {
  const withWrites = (...writes: History['writes']): History => ({ ...good, writes: [...good.writes, ...writes] });
  const withCommits = (...commits: History['commits']): History => ({ ...good, commits, reads: [], subscribers: [] });

  test('catches a write that was acknowledged and is gone', () => {
    expect(lawsOf(withWrites(write({ verb: 'create', tag: 'gone', id: 'b', rev: 1 })))).toEqual(['lost_write']);
    expect(lawsOf(withWrites(write({ verb: 'create', tag: 'gone', batch: 'x' })))).toEqual(['lost_write']);
    expect(lawsOf(withWrites(write({ verb: 'remove', tag: 'removed b', id: 'b' })))).toEqual(['lost_write']);
  });

  test('catches a write overwritten by one that did not see it', () => {
    const [first, next, last, removal] = good.commits;
    if (first === undefined || next === undefined || last === undefined || removal === undefined) {
      throw new Error('the good history has four commits');
    }
    expect(
      lawsOf(
        withCommits(first, next, { ...last, before: next.before, after: image('a', 2, 't3') }, { ...removal, before: image('a', 2, 't3') }),
      ),
    ).toEqual(['lost_write', 'revision_skipped']);
  });

  test('catches a write applied twice', () => {
    expect(
      lawsOf({ ...good, reads: [], subscribers: [], commits: [...good.commits, commit(15, { id: 'b', after: image('b', 1, 't1') })] }),
    ).toEqual(['doubled_write']);
    expect(
      lawsOf({ ...good, reads: [], subscribers: [], commits: [...good.commits, commit(15, { id: 'a', after: image('a', 1, 't3') })] }),
    ).toContain('doubled_write');
  });

  test('catches two answers for one key', () => {
    expect(lawsOf(withWrites(write({ verb: 'create', tag: 't1', id: 'a', rev: 1, key: 'k1', body: 'other', position: at(12) })))).toEqual([
      'two_answers',
    ]);
  });

  test('catches a refused write that is there, and one that nobody made', () => {
    const commits = [...good.commits, commit(15, { id: 'b', after: image('b', 1, 'extra') })];
    expect(
      lawsOf({ ...good, commits, subscribers: [], writes: [...good.writes, write({ verb: 'create', tag: 'extra', outcome: 'refused' })] }),
    ).toEqual(['refused_but_applied']);
    expect(lawsOf({ ...good, commits, subscribers: [] })).toEqual(['write_of_nobody']);
  });

  test('catches half of a document and half of a batch', () => {
    expect(
      lawsOf({
        ...good,
        commits: good.commits.map((each, index) => (index === 1 ? { ...each, after: { ...image('a', 2, 't2'), whole: false } } : each)),
      }),
    ).toEqual(['torn_write']);
    const rows = ['x#0', 'x#1'].map((tag) => write({ verb: 'create', tag, batch: 'x', outcome: 'unknown' }));
    expect(
      lawsOf({ ...withWrites(...rows), subscribers: [], commits: [...good.commits, commit(15, { id: 'b', after: image('b', 1, 'x#0') })] }),
    ).toEqual(['torn_write']);
  });

  test('catches an answer whose position is before its own write', () => {
    expect(lawsOf({ ...good, writes: good.writes.map((each) => (each.tag === 't3' ? { ...each, position: at(12) } : each)) })).toEqual([
      'position_before_write',
    ]);
    expect(
      lawsOf({
        ...good,
        writes: good.writes.map((each) =>
          each.tag === 't3' ? { ...each, position: { epoch: 'f'.repeat(16), order: at(13).order } } : each,
        ),
      }),
    ).toEqual(['position_before_write']);
  });
});

describe('reads', () => {
  test('catches one that is older than the bound, by document and by list', () => {
    expect(lawsOf(reading({ askedAt: 1_311, seen: [image('a', 2, 't2')] }))).toEqual(['stale_read']);
    expect(lawsOf(reading({ askedAt: 1_311, seen: [image('a', 1, 't1')], about: { group: 'g' } }))).toEqual(['stale_read']);
    expect(lawsOf(reading({ askedAt: 1_111, answeredAt: 1_112, about: { group: 'g' } }))).toEqual(['stale_read']);
    expect(lawsOf(reading({ askedAt: 5_011, seen: [image('a', 3, 't3')] }))).toEqual(['stale_read']);
  });

  test('lets one be old that says so, but not before a position', () => {
    expect(lawsOf(reading({ askedAt: 1_311, marked: true, seen: [image('a', 2, 't2')] }))).toEqual([]);
    expect(lawsOf(reading({ askedAt: 1_311, marked: true, demanded: at(13), seen: [image('a', 2, 't2')] }))).toEqual([
      'read_before_position',
    ]);
  });

  test('catches one before the position that it demanded', () => {
    expect(lawsOf(reading({ askedAt: 311, answeredAt: 312, demanded: at(13), seen: [image('a', 2, 't2')] }))).toEqual([
      'read_before_position',
    ]);
    expect(lawsOf(reading({ askedAt: 111, answeredAt: 112, demanded: at(11) }))).toEqual(['read_before_position']);
    expect(lawsOf(reading({ askedAt: 4_011, answeredAt: 4_012, demanded: at(14), seen: [image('a', 3, 't3')] }))).toEqual([
      'read_before_position',
    ]);
  });

  test('catches what was never committed, what is of the future, half a document, and what is not theirs', () => {
    expect(lawsOf(reading({ askedAt: 400, seen: [image('a', 4, 'never')] }))).toEqual(['read_of_nothing']);
    expect(lawsOf(reading({ askedAt: 5_500, seen: [image('b', 1, 't1')] }))).toEqual(['read_of_nothing']);
    expect(lawsOf(reading({ askedAt: 250, answeredAt: 260, seen: [image('a', 3, 't3')] }))).toEqual(['read_from_the_future']);
    expect(lawsOf(reading({ askedAt: 400, seen: [{ ...image('a', 3, 't3'), whole: false }] }))).toEqual(['torn_write']);
    const draft = {
      ...good,
      commits: good.commits.map((each) => ({ ...each, after: each.after && { ...each.after, visibleTo: 'alice' } })),
      subscribers: [],
    };
    expect(lawsOf({ ...draft, reads: reading({ askedAt: 400, seen: [image('a', 3, 't3')] }).reads })).toEqual(['read_of_another']);
    expect(lawsOf({ ...draft, reads: reading({ askedAt: 400, subject: 'alice', seen: [image('a', 3, 't3')] }).reads })).toEqual([]);
  });
});

describe('events', () => {
  test('catches one that never comes, whatever newer is heard', () => {
    expect(lawsOf(hearing(begin, created, third, deleted))).toEqual(['missed_event']);
    expect(lawsOf(hearing(begin, created, event(12, 'heartbeat'), third, deleted))).toEqual(['missed_event']);
    expect(lawsOf(hearing(begin, created, second, third, event(14, 'heartbeat')))).toEqual(['missed_event']);
    expect(lawsOf(hearing(begin, created, second, third))).toEqual(['left_behind']);
  });

  test('catches one that comes after what followed it', () => {
    expect(lawsOf(hearing(begin, created, third, second, deleted))).toEqual(['event_out_of_order']);
  });

  test('catches one that comes again under another id, and one that never was', () => {
    expect(lawsOf(hearing(begin, created, second, event(12, 'heartbeat'), event(15, 'updated', { id: 'a', rev: 2, tag: 't2' })))).toContain(
      'doubled_event',
    );
    expect(lawsOf(hearing(begin, created, second, third, deleted, event(15, 'updated', { id: 'a', rev: 4, tag: 't4' })))).toEqual([
      'event_of_nothing',
    ]);
    expect(lawsOf(hearing(begin, created, event(12, 'updated', { id: 'a', rev: 3, tag: 't3' }), third, deleted))).toEqual(['wrong_event']);
    expect(lawsOf(hearing(begin, event(11, 'entered', { id: 'a', rev: 1, tag: 't1' }), second, third, deleted))).toEqual(['wrong_event']);
  });

  test('lets a replay withhold what has since been hidden, and nothing else', () => {
    expect(lawsOf(hearing(begin, created, event(12, 'left', { id: 'a' }), third, deleted))).toEqual([]);
    const kept: History = {
      ...hearing(begin, created, event(12, 'left', { id: 'a' }), third),
      commits: good.commits.filter(({ position }) => position.order !== at(14).order),
      reads: [],
    };
    expect(lawsOf(kept)).toContain('wrong_event');
    expect(lawsOf(hearing(begin, created, event(12, 'left', { id: 'b' }), third, deleted))).toEqual(['wrong_event']);
  });

  test('takes resync for what it stands for, and only before anything newer', () => {
    expect(lawsOf(hearing(begin, created, event(13, 'resync'), deleted))).toEqual([]);
    expect(lawsOf(hearing(begin, created, event(12, 'resync'), deleted))).toEqual(['missed_event']);
    expect(lawsOf(hearing(begin, created, deleted, event(14, 'resync')))).toEqual(['missed_event']);
    expect(lawsOf(hearing(begin, created, event(13, 'resync'), second, deleted))).toEqual(['event_out_of_order']);
  });

  test('lets what resync forgave come to whoever comes back with an id from before it, and nothing else', () => {
    const back: Heard = { ...event(11, 'heartbeat'), isFirst: true };
    expect(lawsOf(hearing(begin, created, event(13, 'resync'), back, second, third, deleted))).toEqual([]);
    expect(lawsOf(hearing(begin, created, third, back, second, third, deleted))).toEqual(['event_out_of_order']);
  });

  test('catches what is another’s to hear', () => {
    const drafts: History = {
      ...hearing(begin, created, second, third, deleted),
      reads: [],
      commits: good.commits.map((each) => ({
        ...each,
        before: each.before && { ...each.before, visibleTo: 'alice' },
        after: each.after && { ...each.after, visibleTo: 'alice' },
      })),
    };
    expect(lawsOf(drafts)).toEqual(['event_of_another']);
    expect(lawsOf({ ...drafts, subscribers: [{ name: 'listener', subject: undefined, heard: [begin, event(14, 'heartbeat')] }] })).toEqual(
      [],
    );
    expect(
      lawsOf({ ...drafts, subscribers: [{ name: 'listener', subject: 'alice', heard: [begin, created, second, third, deleted] }] }),
    ).toEqual([]);
  });

  test('owes nothing from before the first words', () => expect(lawsOf(hearing(event(13, 'heartbeat'), deleted))).toEqual([]));
});
