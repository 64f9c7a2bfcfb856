/**
 * Programs that write and send webhooks are killed at random moments, before receivers that fail, redirect, cut their answers,
 * stall, and die; then what came is compared with what was committed. Two programs run at a time.
 */
import { join } from 'node:path';
import type { OriginContext } from '../../../origin/origin-context.ts';
import { execute } from '../../../origin/execute.ts';
import { toDeliveryId } from '../../../origin/webhooks/delivery-writes.ts';
import { webhookOperations as rows } from '../../../shared/webhooks/operations.ts';
import { webhooks } from '../../../shared/webhooks/resource.ts';
import type { Position } from '../../../shared/wire/position.ts';
import type { Principal } from '../../../shared/wire/principal.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { eventually } from '../../support/eventually.ts';
import { HookReceiver, type Received } from '../../support/hook-receiver.ts';
import { KilledProgram, openStage, programsAtOnce, type Stage } from '../../support/killed-program.ts';
import { Random } from '../../support/random.ts';
import type { Engine } from '../../support/whole-world.ts';
import { authors, notes, own, served } from './declared.ts';

export interface WebhookRunOptions {
  readonly engine: Engine;
  readonly seed: number;
  /** It goes on until so many changes were acknowledged, and so many programs killed; or, where a time is given, until that is over. */
  readonly changes: number;
  readonly killsMin: number;
  readonly minutesMax?: number;
}

export interface WebhookRun {
  readonly figures: Record<'kills' | 'deaths' | 'changes' | 'owed' | 'received' | 'again', number>;
  readonly violations: readonly string[];
}

/** A change, and the id under which a webhook is told of it. */
export interface Owed {
  readonly id: string;
  readonly document: string;
  readonly author: string;
}

const variables = { TOMBOLO_WEBHOOKS_LOOPBACK: '1' };

export async function runKilledWebhooks({ engine, seed, ...until }: WebhookRunOptions): Promise<WebhookRun> {
  const random = new Random(seed);
  const stage = await openStage(engine);
  await using receiver = new HookReceiver();
  try {
    receiver.answer = answering(random);
    const { hooks, from } = await makeWebhooks(stage, receiver);
    const counted = await killPrograms(stage, random, receiver, until);
    await using origin = await DirectOrigin.open({ ...stage.variables, ...variables }, served, own);
    const owed = await owedSince(origin.context, from, hooks);
    await comingOf(owed, { origin, receiver, hooks });
    const received = taken(receiver);
    const again = received.length - new Set(received.map(({ id }) => id)).size;
    return { figures: { ...counted, owed: owed.length, received: received.length, again }, violations: violationsIn(owed, received) };
  } finally {
    await stage.remove();
  }
}

/** What is due has come, or does not come any more. Owners have go on what was paused while a receiver was dead. */
async function comingOf(
  owed: readonly Owed[],
  { origin, receiver, hooks }: { readonly origin: DirectOrigin; readonly receiver: HookReceiver; readonly hooks: Hooks },
): Promise<void> {
  const body = { paused: false };
  for (const [subject, id] of hooks) {
    await origin.askBy(rows.changeWebhook, execute, webhooks, { id, principal: toPrincipal(subject), body });
  }
  const isMissing = () => {
    const came = new Set(taken(receiver).map(({ id }) => id));
    return owed.some(({ id }) => !came.has(id));
  };
  const msMax = 60_000 + owed.length * msOfOneMax;
  await eventually('all that is due has come', () => !isMissing(), { msMax, everyMs: 100 }).catch(() => undefined);
}

/** Those of a webhook go on four at a time, and a part of its attempts fails. */
const msOfOneMax = 100;

/** Receivers that are away, lie of where they are and how much they say, and one that stalls: what they are sent is not taken. */
function answering(random: Random): HookReceiver['answer'] {
  return ({ path }) => {
    if (path === '/stalls') return new Promise(() => undefined);
    const luck = random.below(100);
    if (luck < 8) return new Response('broken', { status: 500 });
    if (luck < 16) return Response.redirect('http://127.0.0.1:1/', 302);
    if (luck < 24) return new Response('x'.repeat(1_000_000));
    if (luck < 32) return new Response('later', { status: 429, headers: { 'retry-after': '0' } });
    if (luck < 33) return new Response(neverEnding());
    return new Response('taken');
  };
}

function neverEnding(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(100)) });
}

/** Each attempt that reached whoever did not stall. */
function taken({ received }: HookReceiver): readonly Received[] {
  return received.filter(({ path }) => path !== '/stalls');
}

/** What comes there comes in the order of the changes of each document. */
const orderedPath = `/${authors[1]}`;

function toPrincipal(subject: string): Principal {
  return { subject, roles: [], claims: {} };
}

/** Webhooks by their authors. */
type Hooks = ReadonlyMap<string, string>;

/** One of each author, and one of the first that stalls. */
async function makeWebhooks(stage: Stage, receiver: HookReceiver) {
  const origin = await DirectOrigin.open({ ...stage.variables, ...variables }, served, own);
  const make = async (subject: string, path: string) => {
    const body = { url: receiver.url(path), resource: 'notes', payload: 'full', ordered: path === orderedPath };
    const { json } = await origin.askBy(rows.makeWebhook, execute, webhooks, { principal: toPrincipal(subject), body });
    return [subject, String(json['id'])] as const;
  };
  const hooks = new Map(await Promise.all(authors.map((author) => make(author, `/${author}`))));
  await make(authors[0], '/stalls');
  const from = await origin.context.store.head();
  await origin.context.services.stop(Date.now() + 5_000);
  return { hooks, from };
}

const programFile = join(import.meta.dir, 'writing-program.ts');
const lifeMs = { least: 200, more: 900 };
const deathEvery = 2;
const deadMsMax = 300;

/** How many programs were killed, how often the receiver died, and how many changes were acknowledged. */
async function killPrograms(
  { place }: Stage, random: Random, receiver: HookReceiver, until: Omit<WebhookRunOptions, 'engine' | 'seed'>,
): Promise<Record<'kills' | 'deaths' | 'changes', number>> {
  const endMs = performance.now() + (until.minutesMax ?? Infinity) * 60_000;
  const running: KilledProgram[] = [];
  let [kills, deaths, changes] = [0, 0, 0];
  for (; (changes < until.changes || kills < until.killsMin) && performance.now() < endMs; kills++) {
    while (running.length < programsAtOnce) running.push(new KilledProgram(programFile, [place, String(random.below(2 ** 31))]));
    await Promise.all(running.map((program) => program.writes()));
    // A random part of a program's life.
    await Bun.sleep(lifeMs.least + random.below(lifeMs.more));
    if (kills % deathEvery === 0) {
      deaths++;
      await receiver.dieFor(random.below(deadMsMax));
    }
    const [killed] = running.splice(random.below(running.length), 1);
    await killed?.kill9();
    changes += killed?.lines ?? 0;
  }
  await Promise.all(running.map((program) => program.kill9()));
  return { kills, deaths, changes: running.reduce((sum, { lines }) => sum + lines, changes) };
}

async function owedSince({ store }: OriginContext, from: Position, hooks: Hooks): Promise<readonly Owed[]> {
  const end = await store.head();
  const owed: Owed[] = [];
  for await (const batch of store.watch(from, AbortSignal.timeout(30_000))) {
    if ('lost' in batch) throw new Error('the history that this proof needs was lost');
    for (const change of batch.changes) {
      if (change.kind !== 'document' || change.resource !== notes.name) continue;
      const author = String((change.after ?? change.before)?.['author']);
      owed.push({ id: toDeliveryId(hooks.get(author) ?? '', change.position), document: change.id, author });
    }
    if (batch.through.order >= end.order) return owed;
  }
  throw new Error('the store gave its history too slowly');
}

/** Each change has come to its author under its id, and nothing has come that was not owed to whom it came. */
export function violationsIn(owed: readonly Owed[], received: readonly Pick<Received, 'id' | 'path' | 'body'>[]): readonly string[] {
  const known = new Map(owed.map((each) => [each.id, each]));
  const came = new Set(received.map(({ id }) => id));
  return [
    ...owed.filter(({ id }) => !came.has(id)).map(({ id, document }) => `${id} of ${document} has not come`),
    ...received.flatMap(({ id, path, body: { data } }) => {
      const { document, author } = known.get(id) ?? {};
      const shown = (data['document'] as { readonly author?: string } | undefined)?.author ?? author;
      const isRight = path === `/${author}` && data['id'] === document && shown === author;
      return isRight ? [] : [`${id} came to ${path} of ${String(data['id'])}`];
    }),
    ...outOfOrderIn(owed, received),
  ];
}

/** By when each first came. */
function outOfOrderIn(owed: readonly Owed[], received: readonly Pick<Received, 'id' | 'path'>[]): readonly string[] {
  const turnOf = new Map(owed.map(({ id }, turn) => [id, turn]));
  const documentOf = new Map(owed.map(({ id, document }) => [id, document]));
  const ids = [...new Set(received.flatMap(({ id, path }) => (path === orderedPath ? [id] : [])))];
  return [...Map.groupBy(ids, (id) => documentOf.get(id))].flatMap(([document, line]) => line
    .filter((id, index) => index > 0 && (turnOf.get(id) ?? 0) < (turnOf.get(line[index - 1] ?? '') ?? 0))
    .map((id) => `${id} of ${document} came after a later one`));
}
