/**
 * Enqueues the jobs of schedules. Each process looks at each moment; the job and the note that the moment is dealt with are one
 * write, decided on the note that is there, so one of them enqueues it, whoever dies or comes late.
 */
import { schedules as notes } from '../../shared/jobs/resource.ts';
import { anonymous } from '../../shared/wire/principal.ts';
import type { Context } from '../context.ts';
import { pause } from '../pause.ts';
import type { Started } from '../services/services.ts';
import { mustNoneBeRefused } from '../store/outcomes.ts';
import type { Mutation } from '../store/store.ts';
import { DatabaseClock } from './database-clock.ts';
import { enqueuing } from './enqueue.ts';
import { momentsOf, type Moments, type Schedule } from './schedule.ts';

const schedulerLimits = {
  /** A moment is missed where no process dealt with it for so long. */
  lateMsMax: 60_000,
  /** Timers are no longer than this: a machine may have slept. */
  waitMsMax: 30_000,
  troubleMs: 5_000,
  writeMsMax: 10_000,
} as const;

interface SchedulerOptions {
  onTrouble(message: string, cause: unknown): void;
}

export function startScheduler(
  declared: readonly Schedule[], { store }: Pick<Context, 'store'>, { onTrouble }: SchedulerOptions,
): Started<void> {
  const stop = new AbortController();
  const clock = new DatabaseClock(store);
  const timed = declared.map((schedule) => ({ schedule, moments: momentsOf(schedule) }));
  let trouble: string | undefined;
  const run = async () => {
    while (!stop.signal.aborted) {
      try {
        const nowMs = await clock.now();
        await deal(store, timed, nowMs);
        trouble = undefined;
        const next = Math.min(...timed.map(({ moments }) => moments.next(nowMs) ?? Number.POSITIVE_INFINITY));
        await pause(Math.min(Math.max(1, next - (await clock.now())), schedulerLimits.waitMsMax), stop.signal);
      } catch (cause) {
        const now = `does not get on: ${cause instanceof Error ? cause.message : String(cause)}`;
        if (now !== trouble) onTrouble(`schedules: ${now}`, cause);
        trouble = now;
        await pause(schedulerLimits.troubleMs, stop.signal);
      }
    }
  };
  const running = run();
  return {
    value: undefined, stop: () => (stop.abort(), running),
    state: () => ({ ready: true, ...(trouble === undefined ? {} : { detail: trouble }) }),
  };
}

interface Timed {
  readonly schedule: Schedule;
  readonly moments: Moments;
}

/**
 * Deals with what is due at `nowMs`. Where a schedule cannot say what its job is given, the others are dealt with all the same,
 * and why is thrown after. Exported for tests, which hold the time.
 */
export async function deal(store: Pick<Context['store'], 'many' | 'write'>, timed: readonly Timed[], nowMs: number): Promise<void> {
  const inTime = { deadline: Date.now() + schedulerLimits.writeMsMax };
  const { value: there } = await store.many(notes, timed.map(({ schedule: { name } }) => name), inTime);
  const known = new Map(there.map(({ id, value }) => [id, Date.parse(String(value['moment']))]));
  const failures: Error[] = [];
  const mutations = timed.flatMap(({ schedule, moments }) => {
    const noted = known.get(schedule.name);
    const moment = moments.last(nowMs);
    if (noted !== undefined && (moment === undefined || moment <= noted)) return [];
    try {
      return [dealing(schedule, moment ?? nowMs, nowMs)];
    } catch (cause) {
      failures.push(new Error(`schedule "${schedule.name}": ${cause instanceof Error ? cause.message : String(cause)}`, { cause }));
      return [];
    }
  });
  if (mutations.length > 0) mustNoneBeRefused((await store.write(mutations, inTime)).outcomes);
  if (failures.length > 0) throw new AggregateError(failures, failures.map(({ message }) => message).join('; '));
}

/** A new schedule begins with the first moment that comes. */
function dealing({ name, job, missed, payload }: Schedule, moment: number, nowMs: number): Mutation {
  const at = new Date(moment).toISOString();
  const isEnqueued = missed === 'once' || nowMs - moment <= schedulerLimits.lateMsMax;
  const also = isEnqueued ? [enqueuing(job, payload(moment), { dedupe: `${name} ${at}` }, { principal: anonymous, nowMs })] : [];
  return {
    resource: notes, id: name,
    decide: (found) => {
      if (found === undefined) return { kind: 'put', document: { moment: at } };
      return String(found.value['moment']) >= at ? { kind: 'keep' } : { kind: 'put', document: { moment: at }, also };
    },
  };
}
