/**
 * What an endpoint that never answers costs the others: the same changes told to the same endpoints, with and without one more
 * that does not answer. Rounds with and without are interleaved, so that ratios hold on a busy machine.
 */
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { execute } from '../../origin/execute.ts';
import { contract } from '../../shared/contract/contract.ts';
import { resource } from '../../shared/contract/resource.ts';
import { anyone } from '../../shared/contract/rules.ts';
import { webhookLimits } from '../../shared/webhooks/limits.ts';
import { webhookOperations } from '../../shared/webhooks/operations.ts';
import { webhooks } from '../../shared/webhooks/resource.ts';
import { DirectOrigin } from '../support/direct-origin.ts';
import { HookReceiver } from '../support/hook-receiver.ts';
import type { Engine } from '../support/whole-world.ts';
import { median } from './rounds.ts';

const settings = {
  roundsMax: 15, engineMs: { sqlite: 24_000, mongodb: 52_000 }, endpoints: 2 * webhookLimits.ofOneMax,
  changes: { sqlite: 30, mongodb: 12 }, attemptMs: 2_000,
};
const notes = resource({
  name: 'notes', live: true, schema: z.object({ text: z.string() }), shapes: { all: {} }, rules: { read: anyone, write: anyone },
});
const served = contract(notes);
/** What failed comes back after five seconds, as in use. */
const own = { webhookTimes: { attemptMs: settings.attemptMs, pausesMs: [5_000, 300_000] } };

interface Figures {
  readonly engine: Engine;
  readonly rounds: number;
  readonly alone: Spent;
  readonly stalled: Spent;
  /** Of each round that with a stalled endpoint to that without; the machine is another from round to round. */
  readonly ratios: { readonly time: number; readonly cpu: number };
}

/** Of one delivery to one of the others. */
interface Spent {
  readonly micros: number;
  readonly cpuMicros: number;
}

export async function benchWebhooks(): Promise<string> {
  const page = toPage([await measure('sqlite'), await measure('mongodb')]);
  writeFileSync(join(import.meta.dir, 'WEBHOOKS.md'), page);
  return page;
}

async function measure(engine: Engine): Promise<Figures> {
  const untilMs = performance.now() + settings.engineMs[engine];
  // The first round of a process pays for what is compiled then.
  await delivering(engine, false);
  const rounds: { readonly alone: Spent; readonly stalled: Spent }[] = [];
  let longestMs = 0;
  while (rounds.length < settings.roundsMax && performance.now() + longestMs < untilMs) {
    const beganAtMs = performance.now();
    rounds.push(await both(engine, rounds.length % 2 === 0));
    longestMs = Math.max(longestMs, performance.now() - beganAtMs);
  }
  const ratio = (of: keyof Spent) => median(rounds.map(({ alone, stalled }) => stalled[of] / alone[of]));
  return {
    engine, rounds: rounds.length,
    alone: medianOf(rounds.map(({ alone }) => alone)), stalled: medianOf(rounds.map(({ stalled }) => stalled)),
    ratios: { time: ratio('micros'), cpu: ratio('cpuMicros') },
  };
}

/** Each comes first in every other round. */
async function both(engine: Engine, beginsAlone: boolean) {
  const first = await delivering(engine, !beginsAlone);
  const second = await delivering(engine, beginsAlone);
  return beginsAlone ? { alone: first, stalled: second } : { alone: second, stalled: first };
}

function medianOf(rounds: readonly Spent[]): Spent {
  return { micros: median(rounds.map(({ micros }) => micros)), cpuMicros: median(rounds.map(({ cpuMicros }) => cpuMicros)) };
}

/** From the first change to the last that was received by all of the others. CPU is that of this process, receivers and all. */
async function delivering(engine: Engine, isBesideStalled: boolean): Promise<Spent> {
  await using origin = await DirectOrigin.on(engine, served, own, { TOMBOLO_WEBHOOKS_LOOPBACK: '1' });
  // Ends before the origin does, and with it what hangs there.
  await using receiver = new HookReceiver();
  const due = settings.endpoints * settings.changes[engine];
  const { promise: allReceived, resolve } = Promise.withResolvers<void>();
  const delivered = new Set<string>();
  receiver.answer = ({ id, path }) => {
    if (path === '/stalled') return new Promise<Response>(() => undefined);
    if (delivered.add(id).size === due) resolve();
    return new Response();
  };
  for (let n = 0; n < settings.endpoints; n++) await make(origin, `owner-${n % 2}`, receiver.url(`/${n}`));
  if (isBesideStalled) await make(origin, 'another', receiver.url('/stalled'));
  const [startedAt, before] = [performance.now(), process.cpuUsage()];
  await Promise.all(Array.from({ length: settings.changes[engine] }, () => create(origin)));
  await allReceived;
  const { user, system } = process.cpuUsage(before);
  return { micros: ((performance.now() - startedAt) * 1_000) / due, cpuMicros: (user + system) / due };
}

async function make(origin: DirectOrigin, subject: string, url: string): Promise<void> {
  const principal = { subject, roles: [], claims: {} };
  const { outcome } = await origin.askBy(webhookOperations.makeWebhook, execute, webhooks, { principal, body: { url, resource: 'notes' } });
  if (outcome !== 'created') throw new Error(`a webhook was ${outcome}`);
}

async function create(origin: DirectOrigin): Promise<void> {
  const { outcome } = await origin.ask('create', notes, { body: { text: 'a note of some length, as notes are' } });
  if (outcome !== 'created') throw new Error(`a create was ${outcome}`);
}

function toPage(all: readonly Figures[]): string {
  const whole = (value: number) => String(Math.round(value));
  const { endpoints, changes, attemptMs } = settings;
  return [
    '# Webhooks', '',
    'By `npm run bench -- webhooks`: medians of interleaved rounds in one process, with durable commits and receivers on loopback, whose ' +
      'CPU is counted too. MongoDB is the test server of this project, in the same process: its figures say what deliveries cost, and ' +
      `not what MongoDB can do. ${cpus().length} cores, load average of the last five minutes ${(loadavg()[1] ?? 0).toFixed(1)}.`, '',
    `Each change (${changes.sqlite} on SQLite, ${changes.mongodb} on MongoDB) is told to ${endpoints} endpoints of two owners; the ` +
      'figures are of one delivery to one of these, from the first change to the last delivery. The stalled one is of a third owner, ' +
      `is told the same and never answers, so that each attempt there runs into its time: here ${attemptMs} ms, in use ` +
      `${webhookLimits.attemptMsMax} ms. One more endpoint is ${(100 / endpoints).toFixed(1)} % more deliveries, whatever it answers. ` +
      'Ratios are medians of those of each round.', '',
    '|  | rounds | deliveries/s | µs | CPU µs | beside a stalled one, µs | CPU µs | ratio of time | of CPU |',
    '|---|---|---|---|---|---|---|---|---|',
    ...all.map(({ engine, rounds, alone, stalled, ratios }) => `| ${[
      engine, String(rounds), whole(1_000_000 / alone.micros),
      ...[alone, stalled].flatMap(({ micros, cpuMicros }) => [whole(micros), whole(cpuMicros)]),
      ratios.time.toFixed(2), ratios.cpu.toFixed(2),
    ].join(' | ')} |`), '',
  ].join('\n');
}
