/** Clients that read without end: one document or a whole group, now and then from a position that was given out. */
import type { JsonObject } from '../../../shared/wire/values.ts';
import { ask } from './ask.ts';
import { type Group, groups, listPath, toSeen } from './documents.ts';
import { mustPosition } from './position-token.ts';
import { type Run, subjects } from './run.ts';
import { targetsOf } from './writers.ts';

interface Question {
  readonly group: Group;
  /** Absent: the whole group. */
  readonly id?: string | undefined;
  readonly subject: string | undefined;
  /** A `Tombolo-Position`. */
  readonly demanded?: string | undefined;
}

export async function readForEver(run: Run): Promise<void> {
  const random = run.random.fork();
  while (!run.stopped) {
    const target = random.chance(0.6) ? random.pick(targetsOf(run)) : undefined;
    const subject = random.pick([undefined, undefined, ...subjects]);
    await read(run, {
      group: target?.group ?? random.pick(groups),
      id: target?.id,
      subject,
      demanded: random.chance(0.25) ? run.latestToken : undefined,
    });
    await Bun.sleep(random.below(8));
  }
}

/** Reads everything that everybody may see, from a state at or after the last write. */
export async function readAll(run: Run): Promise<void> {
  for (const group of groups) {
    for (const subject of [undefined, ...subjects]) {
      await read(run, { group, subject, demanded: run.latestToken });
    }
  }
}

async function read(run: Run, { group, id, subject, demanded }: Question): Promise<void> {
  const { askedAt, answeredAt, through, answer } = await ask(run.door, id === undefined ? listPath(group) : `/v2/${group.kind}/${id}`, {
    subject,
    demanded,
  });
  if (answer === undefined || (answer.status !== 200 && answer.status !== 404)) return void run.unansweredReads++;
  const cacheStatus = answer.headers.get('cache-status') ?? '';
  if (/;\s*hit\b/.test(cacheStatus)) run.hits++;
  run.reads.push({
    askedAt, answeredAt, through, subject,
    demanded: demanded === undefined ? undefined : mustPosition(demanded),
    about: id === undefined ? { group: group.name } : { id },
    marked: cacheStatus.includes('stale-if-error'),
    seen: seenIn(answer.status, answer.text).map(toSeen),
  });
}

function seenIn(status: number, text: string): readonly JsonObject[] {
  if (status === 404) return [];
  const body = JSON.parse(text) as JsonObject;
  return Array.isArray(body['data']) ? (body['data'] as readonly JsonObject[]) : [body];
}
