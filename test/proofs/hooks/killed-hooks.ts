/**
 * Programs that run a hook, which fails at random, are killed at random moments, while they write; then what it
 * told is compared with what the store says was committed. Two programs run at a time.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openContext } from '../../../origin/open-context.ts';
import type { OriginContext } from '../../../origin/origin-context.ts';
import { mustSettings } from '../../../origin/settings.ts';
import type { DocumentChange } from '../../../shared/contract/change.ts';
import { formatPosition, type Position } from '../../../shared/wire/position.ts';
import { eventually } from '../../support/eventually.ts';
import { KilledProgram, openStage, programsAtOnce, type Stage } from '../../support/killed-program.ts';
import { Random } from '../../support/random.ts';
import { testKeys } from '../../support/scripted-origin.ts';
import type { Engine } from '../../support/whole-world.ts';
import { counts, holdLimits, leaseTimes, type Outside, served, subjects, witness } from './declared.ts';

export interface HookRunOptions {
  readonly engine: Engine;
  readonly seed: number;
  readonly kills: number;
}

export interface HookRun {
  readonly figures: { readonly kills: number; readonly committed: number; readonly told: number; readonly toldAgain: number };
  readonly violations: readonly string[];
}

export async function runKilledHooks({ engine, seed, kills }: HookRunOptions): Promise<HookRun> {
  const stage = await openStage(engine);
  const dir = mkdtempSync(join(tmpdir(), 'tombolo-hooks-'));
  const file = join(dir, 'outside.ndjson');
  try {
    const from = await begin(stage);
    await killPrograms(stage, file, { random: new Random(seed), kills });
    const context = await open(stage, file, 'last');
    const committed = await changesSince(context, from);
    await eventually('the hook has told of all', async () => isTold(context, committed), { msMax: 60_000 });
    const lines = readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Outside);
    const violations = [...checkOutside(committed, lines), ...(await checkCounts(context, committed))];
    await context.services.stop(Date.now() + 5_000);
    const told = new Set(lines.map(({ eventId }) => eventId)).size;
    return { figures: { kills, committed: committed.length, told, toldAgain: lines.length - told }, violations };
  } finally {
    await stage.remove();
    rmSync(dir, { recursive: true, force: true });
  }
}

function open({ variables }: Stage, file: string, program?: string): Promise<OriginContext> {
  const settings = mustSettings({ TOMBOLO_KEYS: testKeys, TOMBOLO_LOG_LEVEL: 'silent', ...variables });
  return openContext(settings, served, program === undefined ? {} : { afterCommits: [witness(program, file)], leaseTimes, holdLimits });
}

/** The hook's cursor begins here, so that it is owed every change, also those before it first runs. */
async function begin(stage: Stage): Promise<Position> {
  const { store, services } = await open(stage, '');
  const to = await store.head();
  await store.write([], { deadline: Date.now() + 5_000, cursor: { consumer: 'hook witness', from: undefined, to } });
  await services.stop(Date.now() + 5_000);
  return to;
}

const programFile = join(import.meta.dir, 'hooked-program.ts');

interface Killing {
  readonly random: Random;
  readonly kills: number;
}

async function killPrograms({ place }: Stage, file: string, { random, kills }: Killing): Promise<void> {
  const running: KilledProgram[] = [];
  for (let kill = 0; kill < kills; kill++) {
    while (running.length < programsAtOnce) {
      running.push(new KilledProgram(programFile, [place, file, `p${kill}-${running.length}`, String(random.below(2 ** 31))]));
    }
    await Promise.all(running.map((program) => program.writes()));
    // Longer than the wait for a lease, so that a killed holder has a next one; where in its work is chance.
    await Bun.sleep(leaseTimes.silentMsMax + random.below(700));
    const [killed] = running.splice(random.below(running.length), 1);
    await killed?.kill9();
  }
  await Promise.all(running.map((program) => program.kill9()));
}

/** What the store says was committed, in order. */
async function changesSince({ store }: OriginContext, from: Position): Promise<readonly DocumentChange[]> {
  const end = await store.head();
  const found: DocumentChange[] = [];
  for await (const batch of store.watch(from, AbortSignal.timeout(30_000))) {
    if ('lost' in batch) throw new Error('the history that this proof needs was lost');
    found.push(...batch.changes.flatMap((change) => (change.kind === 'document' && change.resource === subjects.name ? [change] : [])));
    if (batch.through.order >= end.order && batch.changes.length === 0) return found;
  }
  throw new Error('the store gave its history too slowly');
}

/** Nobody writes any more: each subject's last change has its effect. */
async function isTold(context: OriginContext, committed: readonly DocumentChange[]): Promise<boolean> {
  const last = new Map(committed.map(({ id, position }) => [id, position.order]));
  const seen = await Promise.all([...last].map(async ([id, order]) => (await countOf(context, id))?.['last'] === order));
  return seen.every(Boolean);
}

async function countOf({ store }: OriginContext, id: string) {
  return (await store.get(counts, id, { deadline: Date.now() + 5_000 })).value?.value;
}

/** At least once, those of a document in order, and under one id each: exported for the test that shows it can find something. */
export function checkOutside(committed: readonly DocumentChange[], lines: readonly Outside[]): readonly string[] {
  const owed = new Map(committed.map((change) => [formatPosition(change.position), `${change.id} ${toWhat(change)}`]));
  const firsts = new Map<string, string>();
  const violations: string[] = [];
  for (const { eventId, id, what } of lines) {
    if (owed.get(eventId) !== `${id} ${what}`) violations.push(`${eventId}: ${id} ${what} was told, ${owed.get(eventId)} was committed`);
    firsts.set(eventId, id);
  }
  for (const [eventId, what] of owed) if (!firsts.has(eventId)) violations.push(`${eventId}: ${what} was never told`);
  for (const [id, changes] of Map.groupBy(committed, (change) => change.id)) {
    const expected = changes.map(({ position }) => formatPosition(position)).filter((eventId) => firsts.has(eventId));
    const order = [...firsts].flatMap(([eventId, of]) => (of === id && owed.has(eventId) ? [eventId] : []));
    if (order.join() !== expected.join()) violations.push(`events of ${id} were first told in another order than committed`);
  }
  return violations;
}

function toWhat({ before, after }: DocumentChange): string {
  const kind = before === null ? 'created' : after === null ? 'deleted' : 'updated';
  return `${kind} ${String(after?.['n'] ?? '-')}`;
}

/** Each change has had its effect in the database once, in order. */
async function checkCounts(context: OriginContext, committed: readonly DocumentChange[]): Promise<readonly string[]> {
  const owed = Map.groupBy(committed, ({ id }) => id);
  const checked = await Promise.all([...owed].map(async ([id, changes]) => {
    const count = await countOf(context, id);
    const isRight = count?.['changes'] === changes.length && count['outOfOrder'] === 0;
    return isRight ? [] : [`${id}: ${changes.length} changes have left ${JSON.stringify(count)}`];
  }));
  return checked.flat();
}
