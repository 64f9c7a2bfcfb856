/**
 * Clients that write without end: films and reviews, alone and in batches, with and without an
 * Idempotency-Key. What stays unanswered is asked again under its key until there is an answer, and sometimes
 * once more when there was one: the answer must be the same.
 */
import { type Asked, ask } from './ask.ts';
import type { Sent } from './door.ts';
import { type Content, type Group, groups, toBody, toPatch } from './documents.ts';
import { removalTag, type Write } from './history.ts';
import { mustPosition } from './position-token.ts';
import { type Run, subjects } from './run.ts';

interface Target {
  readonly id: string;
  readonly group: Group;
  readonly author: string;
}

/** Documents of each group that writers and readers know of; at this many, writers only change. */
const targetsMax = 45;
const targets = new WeakMap<Run, Target[]>();

export function targetsOf(run: Run): Target[] {
  const known = targets.get(run) ?? [];
  targets.set(run, known);
  return known;
}

export async function writeForEver(run: Run, writer: number): Promise<void> {
  const random = run.random.fork();
  for (let number = 0; !run.stopped; number++) {
    const group = random.pick(groups);
    const author = random.pick(subjects);
    const content: Content = { tag: `w${writer}-${number}`, author, isDraft: random.chance(0.2) };
    const known = targetsOf(run).filter((target) => target.group === group);
    const target = random.pick(known);
    const key = random.chance(0.6) ? crypto.randomUUID() : undefined;
    if (group.kind === 'films' && random.chance(0.08)) await importBatch(run, group, content);
    else if (target === undefined || (known.length < targetsMax && random.chance(0.25))) await create(run, group, content, key);
    else if (random.chance(0.06)) await remove(run, target);
    else await patch(run, target, { ...content, author: target.author }, key);
    await Bun.sleep(random.below(12));
  }
}

/** Writes, when the others have stopped, a published review, which every subscriber hears after everything else. */
export async function writeLast(run: Run): Promise<void> {
  await create(run, groups[2], { tag: 'last', author: subjects[0], isDraft: false }, crypto.randomUUID());
}

export async function create(run: Run, group: Group, content: Content, key: string | undefined): Promise<void> {
  const write = await untilAnswered(
    run,
    { verb: 'create', tag: content.tag, key },
    `/v2/${group.kind}`,
    content.author,
    'POST',
    'application/json',
    toBody(group, content),
  );
  if (write.id !== undefined) targetsOf(run).push({ id: write.id, group, author: content.author });
}

async function patch(run: Run, { id, group, author }: Target, content: Content, key: string | undefined): Promise<void> {
  await untilAnswered(
    run,
    { verb: 'patch', tag: content.tag, id, key },
    `/v2/${group.kind}/${id}`,
    author,
    'PATCH',
    'application/merge-patch+json',
    toPatch(group, content),
  );
}

async function remove(run: Run, target: Target): Promise<void> {
  targetsOf(run).splice(targetsOf(run).indexOf(target), 1);
  await untilAnswered(
    run,
    { verb: 'remove', tag: removalTag(target.id), id: target.id },
    `/v2/${target.group.kind}/${target.id}`,
    target.author,
    'DELETE',
    undefined,
    undefined,
  );
}

async function untilAnswered(
  run: Run,
  about: Pick<Write, 'verb' | 'tag' | 'id' | 'key'>,
  path: string, author: string, method: string, type: string | undefined, body: unknown,
): Promise<Write> {
  const sent: Sent = {
    method, subject: author,
    headers: {
      ...(type === undefined ? {} : { 'content-type': type }),
      ...(about.key === undefined ? {} : { 'idempotency-key': about.key }),
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  };
  for (let again = 0; ; ) {
    const asked = await ask(run.door, path, sent);
    const write = toWrite(about, asked);
    run.noteWrite(write, write.outcome === 'acked' ? (asked.answer?.headers.get('tombolo-position') ?? undefined) : undefined);
    if (about.key === undefined || run.abandoned) return write;
    if (write.outcome !== 'unknown' && (again++ > 0 || !run.random.chance(0.15))) return write;
    // The origin is away: a retry at once would only be refused again.
    if (write.outcome === 'unknown') await Bun.sleep(40);
  }
}

/** A 4xx says that nothing was done, but for the one that says that an earlier attempt still runs. */
function toWrite(about: Pick<Write, 'verb' | 'tag' | 'id' | 'key'>, { askedAt, answeredAt, through, answer }: Asked): Write {
  const write = { ...about, askedAt, answeredAt, through };
  if (answer === undefined || answer.status >= 500 || answer.text.includes('idempotency_running')) return { ...write, outcome: 'unknown' };
  if (answer.status >= 400) return { ...write, outcome: 'refused' };
  const position = mustPosition(answer.headers.get('tombolo-position') ?? '');
  if (answer.status === 204) return { ...write, outcome: 'acked', position, body: '' };
  const { id, rev } = JSON.parse(answer.text) as { id: string; rev: number };
  return { ...write, id, outcome: 'acked', rev, position, body: answer.text };
}

/** Imports fewer rows than a batch holds, so that all or none are committed. */
async function importBatch(run: Run, group: Group, content: Content): Promise<void> {
  if (targetsOf(run).filter((target) => target.group === group).length >= targetsMax) return;
  const tags = Array.from({ length: 3 }, (_, row) => `${content.tag}#${row}`);
  const lines = tags.map((tag) => JSON.stringify(toBody(group, { ...content, tag }))).join('\n');
  const { askedAt, answeredAt, through, answer } = await ask(run.door, `/v2/${group.kind}/import`, {
    method: 'POST',
    subject: content.author,
    headers: { 'content-type': 'application/x-ndjson' },
    body: lines,
  });
  const outcome = answer === undefined || answer.status >= 500 ? 'unknown' : answer.status === 200 ? outcomeOf(answer.text) : 'refused';
  for (const tag of tags) run.noteWrite({ verb: 'create', tag, batch: content.tag, askedAt, answeredAt, through, outcome });
}

/** The last line says what became of the rows; a report that is cut off says nothing. */
function outcomeOf(report: string): Write['outcome'] {
  const summary = /"summary":\{[^}]*"imported":(\d+)[^}]*"complete":true/.exec(report)?.[1];
  return summary === '3' ? 'acked' : 'unknown';
}
