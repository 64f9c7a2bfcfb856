/** Clients that read without end: one document or a whole group, now and then from a position that was given out. */
import type { JsonObject } from '../../shared/contract/values.ts';
import { ask } from './ask.ts';
import { groups, listPath, toSeen } from './documents.ts';
import { mustPosition, type Run, subjects } from './run.ts';
import { targetsOf } from './writers.ts';

export async function readForEver(run: Run): Promise<void> {
  const random = run.random.fork();
  while (!run.stopped) {
    const target = random.chance(0.6) ? random.pick(targetsOf(run)) : undefined;
    const group = target?.group ?? random.pick(groups);
    const subject = random.pick([undefined, undefined, ...subjects]);
    const demanded = random.chance(0.25) ? run.latestToken : undefined;
    const path = target === undefined ? listPath(group) : `/v1/${group.kind}/${target.id}`;
    const { askedAt, answeredAt, answer } = await ask(run.world, path, { headers: {
      ...(subject === undefined ? {} : { authorization: `Bearer ${run.tokens.get(subject)}` }),
      ...(demanded === undefined ? {} : { 'tombolo-position': demanded }),
    } });
    const cacheStatus = answer?.headers.get('cache-status') ?? '';
    if (answer === undefined || (answer.status !== 200 && answer.status !== 404)) run.unansweredReads++;
    else run.reads.push({
      askedAt, answeredAt, subject,
      demanded: demanded === undefined ? undefined : mustPosition(demanded),
      about: target === undefined ? { group: group.name } : { id: target.id },
      marked: cacheStatus.includes('stale-if-error'),
      seen: seenIn(answer.status, answer.text).map(toSeen),
    });
    if (/;\s*hit\b/.test(cacheStatus)) run.hits++;
    await Bun.sleep(random.below(8));
  }
}

function seenIn(status: number, text: string): readonly JsonObject[] {
  if (status === 404) return [];
  const body = JSON.parse(text) as JsonObject;
  return Array.isArray(body['data']) ? (body['data'] as readonly JsonObject[]) : [body];
}
