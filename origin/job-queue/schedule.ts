/**
 * Schedules: a job that is enqueued at the moments of a pattern of cron in a time zone, once at each, however many processes run
 * (SEMANTICS §21).
 *
 * Where clocks go forward, a time that does not exist is the first moment after the gap. Where they go back, a time that comes
 * twice is the first of the two if minutes and hours are named by numbers alone (`30 2 * * *`); with `*` or a step it is both,
 * so that a step of 30 minutes comes each half hour that passes.
 */
import { Cron } from 'croner';
import type * as z from 'zod';
import type { Json } from '../../shared/wire/values.ts';
import type { Job } from './job.ts';

interface ScheduleDeclaration<Payload extends z.ZodType> {
  /** Of IANA, as in `Europe/Berlin`; `UTC` unless said. */
  readonly zone?: string;
  /**
   * What becomes of moments at which no process ran, or none in time: the last of them once, as soon as one runs, or nothing.
   */
  readonly missed: 'once' | 'skip';
  readonly job: Job<Payload>;
  /** Of the job of a moment, in milliseconds of the epoch. */
  payload(moment: number): z.input<Payload>;
}

export interface Schedule {
  readonly name: string;
  readonly pattern: string;
  readonly zone: string;
  readonly missed: 'once' | 'skip';
  readonly job: Job;
  payload(moment: number): Json;
}

/** Exported for `origin/jobs`. `pattern`: minute, hour, day of the month, month, day of the week. */
export function schedule<Payload extends z.ZodType>(
  name: string, pattern: string, { zone = 'UTC', missed, job, payload }: ScheduleDeclaration<Payload>,
): Schedule {
  return { name, pattern, zone, missed, job, payload: (moment) => payload(moment) as Json };
}

/** Throws where the pattern or the zone is none. */
export function momentsOf({ pattern, zone }: Pick<Schedule, 'pattern' | 'zone'>): Moments {
  const cron = new Cron(pattern, { timezone: zone, paused: true, mode: '5-part', fixedTimeRule: 'no-wildcard' });
  const moments: Moments = {
    next: (ms) => cron.nextRun(new Date(ms))?.getTime(),
    last: (ms) => cron.previousRuns(1, new Date(ms + 1))[0]?.getTime(),
  };
  moments.next(0);
  return moments;
}

export interface Moments {
  /** The first after `ms`; `undefined`: there is none. */
  next(ms: number): number | undefined;
  /** The last at or before `ms`. */
  last(ms: number): number | undefined;
}
