/** Schedules: which moments they mean, that each is enqueued once, and what becomes of those that were missed. */
import { afterAll, describe, expect, spyOn, test } from 'bun:test';
import * as z from 'zod';
import { mustSchedules } from '../../../origin/job-queue/checks.ts';
import { job } from '../../../origin/job-queue/job.ts';
import { momentsOf, schedule } from '../../../origin/job-queue/schedule.ts';
import { deal, startScheduler } from '../../../origin/job-queue/scheduler.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { jobs, schedules as notes } from '../../../shared/jobs/resource.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { eventually } from '../../support/eventually.ts';
import { engines } from '../../support/whole-world.ts';

const zone = 'Europe/Berlin';
const tell = job({ name: 'tell', payload: z.object({ at: z.string() }), handler: async () => undefined });
const toPayload = (moment: number) => ({ at: new Date(moment).toISOString() });

describe('the moments of a schedule', () => {
  const after = (pattern: string, from: string, count: number) => {
    const { next } = momentsOf({ pattern, zone });
    const found: number[] = [];
    while (found.length < count) found.push(next(found.at(-1) ?? Date.parse(from)) ?? 0);
    return found.map((ms) => new Date(ms).toISOString().slice(5, 16));
  };

  test.each([
    ['that does not exist is the first after the gap', '30 2 * * *', '2026-03-28T12:00Z', ['03-29T01:00', '03-30T00:30']],
    ['two that do not exist are one', '15,45 2 * * *', '2026-03-28T12:00Z', ['03-29T01:00', '03-30T00:15']],
    ['that comes twice is the first', '30 2 * * *', '2026-10-24T12:00Z', ['10-25T00:30', '10-26T01:30']],
    ['two that come twice are the first of each', '15,45 2 * * *', '2026-10-24T12:00Z', ['10-25T00:15', '10-25T00:45', '10-26T01:15']],
    ['of steps pass evenly in spring', '*/30 * * * *', '2026-03-29T00:15Z', ['03-29T00:30', '03-29T01:00', '03-29T01:30']],
    ['of steps pass evenly in autumn', '*/30 * * * *', '2026-10-25T00:15Z', ['10-25T00:30', '10-25T01:00', '10-25T01:30', '10-25T02:00']],
  ])('%s', (_title, pattern, from, expected) => {
    expect(after(pattern, from, expected.length)).toEqual(expected);
  });

  test('before a moment end with that moment itself', () => {
    const { last, next } = momentsOf({ pattern: '30 2 * * *', zone });
    for (const moment of ['2026-03-29T01:00Z', '2026-10-25T00:30Z', '2026-06-01T00:30Z'].map((text) => Date.parse(text))) {
      expect([last(moment), last(moment + 1), last((next(moment) ?? 0) - 1)]).toEqual([moment, moment, moment]);
      expect(last(moment - 1)).toBeLessThan(moment);
    }
  });

  test('are refused at start where there are none', () => {
    const declared = new Map([['tell', tell]]);
    const given = { missed: 'skip', job: tell, payload: toPayload } as const;
    const why = (pattern: string, more: object = {}) => () =>
      mustSchedules([schedule('nightly', pattern, { ...given, ...more })], declared);
    expect(why('0 3 * * *')).not.toThrow();
    expect(why('0 0 3 * * *')).toThrow('schedule "nightly": pattern');
    expect(why('0 0 31 2 *')).toThrow('never comes');
    expect(why('0 3 * * *', { zone: 'Mars/Olympus' })).toThrow('Mars/Olympus');
    expect(why('0 3 * * *', { job: { ...tell } })).toThrow('is not among the jobs');
  });
});

describe.each(engines)('schedules on %s', async (engine) => {
  const origin = await DirectOrigin.on(engine, contract());
  afterAll(() => origin[Symbol.asyncDispose]());
  const timedOf = (name: string, missed: 'once' | 'skip') => {
    const one = schedule(name, '0 3 * * *', { zone, missed, job: tell, payload: (moment) => ({ at: `${name} ${toPayload(moment).at}` }) });
    return [{ schedule: one, moments: momentsOf(one) }];
  };
  const at = (text: string) => Date.parse(text);
  const enqueuedOf = async (name: string) => {
    const sort = [{ field: 'dueAt', descending: false }, { field: 'id', descending: false }];
    const request = { equal: { state: ['ready'] }, range: undefined, sort, where: true, after: undefined, limit: 100 } as const;
    const { value: rows } = await origin.context.store.list(jobs, request, { deadline: Date.now() + 5_000 });
    const payloads = rows.map(({ document: { value } }) => String(value['payload']));
    return payloads.filter((text) => text.includes(name)).map((text) => text.slice(-26, -2));
  };

  test('begin with the first moment that comes, and enqueue at each once, however many processes deal with it', async () => {
    const timed = timedOf('many', 'skip');
    const { store } = origin.context;
    const together = (now: number) => Promise.all(Array.from({ length: 5 }, () => deal(store, timed, now)));
    await together(at('2026-06-01T00:00Z'));
    expect(await enqueuedOf('many')).toEqual([]);
    for (const moment of ['2026-06-01T01:00:00.000Z', '2026-06-01T01:00:30.000Z', '2026-06-02T01:00:00.000Z']) await together(at(moment));
    expect(await enqueuedOf('many')).toEqual(['2026-06-01T01:00:00.000Z', '2026-06-02T01:00:00.000Z']);
  });

  test.each([['once', ['2026-06-05T01:00:00.000Z']], ['skip', []]] as const)('that were missed: %s', async (missed, expected) => {
    const timed = timedOf(missed, missed);
    await deal(origin.context.store, timed, at('2026-06-01T00:00Z'));
    await deal(origin.context.store, timed, at('2026-06-05T12:00Z'));
    await deal(origin.context.store, timed, at('2026-06-05T13:00Z'));
    expect(await enqueuedOf(missed)).toEqual([...expected]);
    await deal(origin.context.store, timed, at('2026-06-06T01:00:01Z'));
    expect(await enqueuedOf(missed)).toEqual([...expected, '2026-06-06T01:00:00.000Z']);
  });

  test('that cannot say what their job is given keep no other from its moment, and are dealt with once they can', async () => {
    let isBroken = false;
    const payload = (moment: number) => {
      if (isBroken) throw new Error('there is no rate of that day');
      return { at: `broken ${toPayload(moment).at}` };
    };
    const broken = schedule('broken', '0 3 * * *', { zone, missed: 'once', job: tell, payload });
    const unfit = schedule('unfit', '0 3 * * *', { zone, missed: 'once', job: tell, payload: () => ({ at: isBroken ? 5 as never : 'x' }) });
    const timed = [...[broken, unfit].map((one) => ({ schedule: one, moments: momentsOf(one) })), ...timedOf('whole', 'once')];
    const { store } = origin.context;
    await deal(store, timed, at('2026-06-01T00:00Z'));
    isBroken = true;
    const failures = await deal(store, timed, at('2026-06-01T01:00Z'));
    expect([...failures.values()].map(({ message }) => message).join('; '))
      .toMatch(/^schedule "broken": there is no rate of that day; schedule "unfit": .*\/at/);
    expect([await enqueuedOf('whole'), await enqueuedOf('broken')]).toEqual([['2026-06-01T01:00:00.000Z'], []]);
    isBroken = false;
    await deal(store, timed, at('2026-06-01T01:00:30Z'));
    expect(await enqueuedOf('broken')).toEqual(['2026-06-01T01:00:00.000Z']);
  });

  test('come in time while another throws, which is asked again every few seconds', async () => {
    const minute = 60_000;
    const first = at('2027-03-01T12:00Z');
    let [isBroken, asked] = [true, 0];
    const payload = (moment: number) => {
      asked++;
      if (isBroken) throw new Error('there is no rate of that day');
      return { at: `throws ${toPayload(moment).at}` };
    };
    const throws = schedule('throws', '* * * * *', { missed: 'once', job: tell, payload });
    const toOthers = (moment: number) => ({ at: `others ${toPayload(moment).at}` });
    const others = schedule('others', '* * * * *', { missed: 'once', job: tell, payload: toOthers });
    const { store } = origin.context;
    for (const { name } of [throws, others]) await origin.put(notes, name, { moment: new Date(first - minute).toISOString() });
    const startedMs = Date.now();
    const time = spyOn(store, 'time').mockImplementation(async () => first + minute - 1_500 + Date.now() - startedMs);
    const troubles: string[] = [];
    const scheduler = startScheduler([throws, others], { store }, { onTrouble: (message) => void troubles.push(message) });
    try {
      await eventually('its moment is dealt with', async () => (await enqueuedOf('others')).length === 2);
      expect(asked).toBe(1);
      const trouble = 'does not get on: schedule "throws": there is no rate of that day';
      expect(await scheduler.state?.()).toEqual({ ready: true, detail: trouble });
      isBroken = false;
      await eventually('it is asked again', async () => (await enqueuedOf('throws')).length === 1);
      await eventually('nothing is said of it', async () => (await scheduler.state?.())?.detail === undefined);
      expect(await enqueuedOf('throws')).toEqual([new Date(first + minute).toISOString()]);
      expect(troubles).toEqual([`schedules: ${trouble}`]);
    } finally {
      time.mockRestore();
      await scheduler.stop?.(Date.now() + 1_000);
    }
  }, 20_000);
});
