/**
 * Programs that begin workflows and take them on, whose steps fail, are refused, are cancelled and are retried from a step at
 * random, are killed at random moments; then what the steps left is compared with what was committed. Two programs run at a time.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openContext } from '../../../origin/open-context.ts';
import type { OriginContext } from '../../../origin/origin-context.ts';
import { mustSettings } from '../../../origin/settings.ts';
import type { ListRequest } from '../../../origin/store/store.ts';
import { workflowIn } from '../../../origin/workflow-engine/stored-workflow.ts';
import { type StoredWorkflow, workflows, workflowStates } from '../../../shared/workflows/resource.ts';
import type { Position } from '../../../shared/wire/position.ts';
import { eventually } from '../../support/eventually.ts';
import { KilledProgram, openStage, programsAtOnce, type Stage } from '../../support/killed-program.ts';
import { Random } from '../../support/random.ts';
import { testKeys } from '../../support/scripted-origin.ts';
import type { Engine } from '../../support/whole-world.ts';
import { acting, balances, causing, entries, type Outside, served, subjects } from './declared.ts';

export interface WorkflowRunOptions {
  readonly engine: Engine;
  readonly seed: number;
  /** It goes on until so many were killed, and so many were undone, and got to their last step, and one did a step anew. */
  readonly kills: number;
  readonly endsMin: number;
}

export interface WorkflowRun {
  readonly figures: Readonly<Record<'kills' | 'committed' | 'done' | 'undone' | 'cancelled' | 'anew' | 'again', number>>;
  readonly violations: readonly string[];
}

/** What is there once nothing runs any more. */
export interface Left {
  /** A text for each committed write of a subject, as its workflow's input is. */
  readonly owed: readonly string[];
  readonly workflows: ReadonlyMap<string, Pick<StoredWorkflow, 'input' | 'state' | 'why' | 'round'>>;
  /** Of each workflow, in the order of their commits: `<key>-run`, `<key>-undo`, where a key ends with round and step. */
  readonly entries: ReadonlyMap<string, readonly string[]>;
  readonly balances: Readonly<Record<string, number>>;
  readonly outside: readonly Outside[];
}

export async function runKilledWorkflows({ engine, seed, kills, endsMin }: WorkflowRunOptions): Promise<WorkflowRun> {
  const stage = await openStage(engine);
  const dir = mkdtempSync(join(tmpdir(), 'tombolo-workflows-'));
  const file = join(dir, 'outside.ndjson');
  const random = new Random(seed);
  try {
    const from = await begin(stage);
    const killed = await killPrograms(stage, file, { random, kills, endsMin });
    const { flow: _flow, ...own } = causing(file, random.fork());
    const context = await openContext(settingsOf(stage), served, own);
    await eventually('all have ended', async () => (await unfinished(context)) === 0, { msMax: 150_000, everyMs: 200 });
    const left = await leftIn(context, from, file);
    await context.services.stop(Date.now() + 5_000);
    const ended = [...left.workflows.values()];
    const figures = {
      kills: killed, committed: left.owed.length, done: ended.filter(({ state }) => state === 'done').length,
      undone: ended.filter(({ state }) => state === 'undone').length, cancelled: ended.filter(({ why }) => why === 'cancelled').length,
      anew: ended.filter(({ round }) => round > 1).length,
      again: left.outside.length - new Set(left.outside.map(({ key, what }) => `${key} ${what}`)).size,
    };
    return { figures, violations: violationsIn(left) };
  } finally {
    await stage.remove();
    rmSync(dir, { recursive: true, force: true });
  }
}

function settingsOf({ variables }: Stage) {
  return mustSettings({ TOMBOLO_KEYS: testKeys, TOMBOLO_LOG_LEVEL: 'silent', ...variables });
}

async function begin(stage: Stage): Promise<Position> {
  const { store, services } = await openContext(settingsOf(stage), served);
  await store.write(acting.map((id) => ({ resource: balances, id, decide: () => ({ kind: 'put', document: { count: 0 } }) })), inTime());
  const head = await store.head();
  await services.stop(Date.now() + 5_000);
  return head;
}

const programFile = join(import.meta.dir, 'working-program.ts');
type Killing = Pick<WorkflowRunOptions, 'kills' | 'endsMin'> & { readonly random: Random };

async function killPrograms({ place }: Stage, file: string, { random, kills, endsMin }: Killing): Promise<number> {
  const running: KilledProgram[] = [];
  let kill = 0;
  for (; kill < kills || !hasEnough(file, endsMin); kill++) {
    while (running.length < programsAtOnce) running.push(new KilledProgram(programFile, [place, file, String(random.below(2 ** 31))]));
    await Promise.all(running.map((program) => program.writes()));
    // A part of a program's life that is random in what is done, since a busy machine does less in the same time.
    const until = outsideIn(file).length + random.below(12);
    await eventually('something happens', () => outsideIn(file).length >= until, { msMax: 60_000, everyMs: 1 + random.below(40) });
    const [killed] = running.splice(random.below(running.length), 1);
    await killed?.kill9();
  }
  await Promise.all(running.map((program) => program.kill9()));
  return kill;
}

function hasEnough(file: string, endsMin: number): boolean {
  const all = outsideIn(file);
  const count = (what: Outside['what'], step: (typeof acting)[number]) =>
    new Set(all.flatMap((each) => (each.what === what && each.key.endsWith(`-${step}`) ? [each.key] : []))).size;
  const anew = new Set(all.flatMap(({ workflow, key }) => (roundOf(key) > 1 ? [workflow] : []))).size;
  return count('undo', 'first') >= endsMin && count('run', 'fourth') >= endsMin && anew > 0;
}

function roundOf(key: string): number {
  return Number(key.split('-').at(-2));
}

/** A program that was killed while it told leaves a line without an end, which the next one goes on with. */
function outsideIn(file: string): readonly Outside[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8').split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Outside);
}

const inTime = () => ({ deadline: Date.now() + 10_000 });
const byMade = [{ field: 'made', descending: true }, { field: 'id', descending: true }];

/** A write whose job has yet to begin its workflow is one too. */
async function unfinished(context: OriginContext): Promise<number> {
  const found = await workflowsOf(context);
  const open = [...found.values()].filter(({ state }) => state !== 'done' && state !== 'undone').length;
  const all: ListRequest = { equal: {}, range: undefined, sort: byId, where: true, after: undefined, limit: 100 };
  const { value } = await context.store.list(subjects, all, inTime());
  const written = value.reduce((sum, { document }) => sum + Number(document.value['n']), 0);
  return open + (written - found.size);
}

const byId = [{ field: 'id', descending: false }];

async function workflowsOf({ store }: OriginContext): Promise<ReadonlyMap<string, StoredWorkflow>> {
  const found = new Map<string, StoredWorkflow>();
  for (let after: ListRequest['after']; ;) {
    const request = { equal: { state: [...workflowStates] }, range: undefined, sort: byMade, where: true, after, limit: 1_000 } as const;
    const { value: rows } = await store.list(workflows, request, inTime());
    for (const { document } of rows) found.set(document.id, workflowIn(document));
    after = rows.at(-1)?.keys;
    if (rows.length < 1_000) return found;
  }
}

async function leftIn(context: OriginContext, from: Position, file: string): Promise<Left> {
  const { value: counted } = await context.store.many(balances, acting, inTime());
  return {
    ...(await committedSince(context, from)), workflows: await workflowsOf(context), outside: outsideIn(file),
    balances: Object.fromEntries(counted.map(({ id, value }) => [id, Number(value['count'])])),
  };
}

async function committedSince({ store }: OriginContext, from: Position): Promise<Pick<Left, 'owed' | 'entries'>> {
  const end = await store.head();
  const owed: string[] = [];
  const found = new Map<string, string[]>();
  for await (const batch of store.watch(from, AbortSignal.timeout(60_000))) {
    if ('lost' in batch) throw new Error('the history that this proof needs was lost');
    for (const change of batch.changes) {
      if (change.kind !== 'document' || !change.after) continue;
      const { workflow, n = 0 } = change.after;
      if (change.resource === subjects.name) owed.push(JSON.stringify({ of: change.id, n }));
      if (change.resource !== entries.name) continue;
      found.set(String(workflow), [...(found.get(String(workflow)) ?? []), change.id]);
    }
    if (batch.through.order >= end.order) return { owed, entries: found };
  }
  throw new Error('the store gave its history too slowly');
}

/** A workflow for each committed write and no other, each effect once and in order, and nothing half done. */
export function violationsIn({ owed, workflows: found, entries: effects, balances: counts, outside }: Left): readonly string[] {
  const told = Map.groupBy(outside, ({ workflow }) => workflow);
  const dones = [...found.values()].filter(({ state }) => state === 'done').length;
  return [
    ...differenceOf(owed, [...found.values()].map(({ input }) => input)),
    ...[...effects.keys()].filter((id) => !found.has(id)).map((id) => `${id}: has effects, and is none`),
    ...[...found].flatMap(([id, { state }]) => {
      const { standing, wrong } = standingOf(effects.get(id) ?? []);
      return [...wrong, ...wrongEnd(state, standing), ...wrongOutside(standing, told.get(id) ?? [])].map((each) => `${id}: ${each}`);
    }),
    ...acting.filter((name) => counts[name] !== dones).map((name) => `${name}: is done ${counts[name]} times in ${dones} workflows`),
  ];
}

/** The keys of what is done and not undone: each step is done after the one before it, and the last one is undone first. */
function standingOf(effects: readonly string[]): { readonly standing: readonly string[]; readonly wrong: readonly string[] } {
  const standing: string[] = [];
  const wrong: string[] = [];
  for (const effect of effects) {
    const key = effect.slice(0, effect.lastIndexOf('-'));
    const isRight = effect.endsWith('-run') ? key.endsWith(`-${acting[standing.length]}`) : standing.at(-1) === key;
    if (!isRight) wrong.push(`${effect} comes where ${standing.join(', ')} stand`);
    else if (effect.endsWith('-run')) standing.push(key);
    else standing.pop();
  }
  return { standing, wrong };
}

function wrongEnd(state: string, { length }: readonly string[]): readonly string[] {
  const isRight = (state === 'done' && length === acting.length) || (state === 'undone' && length === 0);
  return isRight ? [] : [`is ${state} where ${length} steps stand`];
}

/** What was begun outside is taken back where it does not stand, and nowhere else. */
function wrongOutside(standing: readonly string[], told: readonly Outside[]): readonly string[] {
  const keys = (of: Outside['what']) => new Set(told.filter(({ what }) => what === of).map(({ key }) => key));
  const [begun, undone] = [keys('run'), keys('undo')];
  return [
    ...standing.filter((key) => undone.has(key)).map((key) => `${key} was taken back`),
    ...[...begun].filter((key) => !undone.has(key) && !standing.includes(key)).map((key) => `${key} was not taken back`),
  ];
}

function differenceOf(owed: readonly string[], begun: readonly string[]): readonly string[] {
  const count = (all: readonly string[]) => new Map([...Map.groupBy(all, (each) => each)].map(([each, same]) => [each, same.length]));
  const [wanted, there] = [count(owed), count(begun)];
  return [...new Set([...owed, ...begun])].filter((each) => wanted.get(each) !== there.get(each))
    .map((each) => `${each}: was written ${wanted.get(each) ?? 0} times, and has ${there.get(each) ?? 0} workflows`);
}
