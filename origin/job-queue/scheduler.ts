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
import { messageOf } from '../../shared/message-of.ts';

const schedulerLimits = {
  /** A moment is missed where no process dealt with it for so long. */
  lateMsMax: 60_000,
  /** Timers are no longer than this: a machine may have slept. */
  waitMsMax: 30_000,
  /** So long after it failed, a schedule that cannot say what its job is given is asked again, and the database. */
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
  const tell = (cause: unknown) => {
    const now = `does not get on: ${messageOf(cause)}`;
    if (now !== trouble) onTrouble(`schedules: ${now}`, cause);
    trouble = now;
  };
  /** Schedules that could not say what their job is given, with why, and when they are asked again. */
  const failed = new Map<Timed, { readonly cause: Error; readonly againMs: number }>();
  const run = async () => {
    while (!stop.signal.aborted) {
      try {
        const nowMs = await clock.now();
        const due = timed.filter((each) => (failed.get(each)?.againMs ?? 0) <= nowMs);
        const failures = await deal(store, due, nowMs);
        for (const each of due) failed.delete(each);
        for (const [each, cause] of failures) failed.set(each, { cause, againMs: nowMs + schedulerLimits.troubleMs });
        const causes = [...failed.values()].map(({ cause }) => cause);
        if (causes.length > 0) tell(new AggregateError(causes, causes.map(({ message }) => message).toSorted().join('; ')));
        else trouble = undefined;
        const next = timed.map((each) => failed.get(each)?.againMs ?? each.moments.next(nowMs) ?? Number.POSITIVE_INFINITY);
        await pause(Math.min(Math.max(1, Math.min(...next) - (await clock.now())), schedulerLimits.waitMsMax), stop.signal);
      } catch (cause) {
        tell(cause);
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
 * and why is given back. Exported for tests, which hold the time.
 */
export async function deal(
  store: Pick<Context['store'], 'many' | 'write'>, timed: readonly Timed[], nowMs: number,
): Promise<ReadonlyMap<Timed, Error>> {
  const inTime = { deadline: Date.now() + schedulerLimits.writeMsMax };
  const { value: there } = await store.many(notes, timed.map(({ schedule: { name } }) => name), inTime);
  const known = new Map(there.map(({ id, value }) => [id, Date.parse(String(value['moment']))]));
  const failures = new Map<Timed, Error>();
  const mutations = timed.flatMap((each) => {
    const { schedule, moments } = each;
    const noted = known.get(schedule.name);
    const moment = moments.last(nowMs);
    if (noted !== undefined && (moment === undefined || moment <= noted)) return [];
    try {
      return [dealing(schedule, moment ?? nowMs, nowMs)];
    } catch (cause) {
      failures.set(each, new Error(`schedule "${schedule.name}": ${messageOf(cause)}`, { cause }));
      return [];
    }
  });
  if (mutations.length > 0) mustNoneBeRefused((await store.write(mutations, inTime)).outcomes);
  return failures;
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
