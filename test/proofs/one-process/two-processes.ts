/**
 * A history of two processes on one MongoDB behind a balancer: clients write, read and listen at whichever of both chance
 * picks for each request, while one after the other is killed and started again. Judged by the laws of all histories.
 */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openIdentity } from '../../../origin/dev/identity.ts';
import { openDevelopmentKeys } from '../../../origin/dev/keys.ts';
import { served } from '../../../shared/resources/all.ts';
import { eventually } from '../../support/eventually.ts';
import { openControlledDatabase } from '../../support/mongo-database.ts';
import { oneProcess, OriginProcess } from '../../support/origin-process.ts';
import { Random } from '../../support/random.ts';
import { type Door, edgeDoor } from '../history/door.ts';
import type { History } from '../history/history.ts';
import { OplogCommits } from '../history/mongo/oplog-commits.ts';
import { readAll, readForEver } from '../history/readers.ts';
import { type ClientFigures, figuresOf, Run, subjects } from '../history/run.ts';
import { Listener } from '../history/subscribers.ts';
import { writeForEver, writeLast } from '../history/writers.ts';

export interface TwoOptions {
  readonly seed: number;
  readonly kills: number;
  /** The least number of writes acknowledged between two kills. */
  readonly writesBetween: number;
}

const bounds = { memoMs: 300, feedSilentMs: 400 };
/** Clocks are read in whole milliseconds on the way. */
const roundingMs = 10;

export async function runTwoProcesses({ seed, kills, writesBetween }: TwoOptions): Promise<{ history: History; figures: ClientFigures }> {
  const random = new Random(seed);
  const { uri, server, foreign, remove } = await openControlledDatabase();
  const commits = new OplogCommits(server, { database: foreign.databaseName, stored: served.stored });
  const { processes, tokens, dirs } = await openBoth(uri);
  const run = new Run(toBalancer(processes, tokens, random.fork()), random.fork());
  try {
    for (const each of processes) await each.start();
    for (const { url } of processes) await eventually(`answers of ${url}`, async () => (await fetch(`${url}/v2/films`)).ok);
    const listeners = [undefined, 'alice'].map((subject) => new Listener(run, { subject, door: run.door, isForgetful: false }));
    const clients = [...[0, 1, 2, 3].map((index) => writeForEver(run, index)), ...[0, 1, 2, 3].map(() => readForEver(run))];
    for (let round = 0; round < kills; round++) {
      await run.progress(writesBetween);
      const killed = processes[round % processes.length];
      await killed?.kill9();
      await run.progress(writesBetween);
      await killed?.start();
    }
    await run.progress(writesBetween);
    run.stopped = true;
    await Promise.all(clients);
    await writeLast(run);
    await readAll(run);
    const last = commits.read().at(-1)?.position;
    await Promise.all(listeners.map((listener) => listener.finish(last)));
    const history: History = {
      staleMsMax: bounds.memoMs + bounds.feedSilentMs + roundingMs,
      writes: run.writes, reads: run.reads, subscribers: listeners.map(({ record }) => record), commits: commits.read(),
    };
    return { history, figures: figuresOf(run, listeners) };
  } finally {
    run.abandon();
    await Promise.all(processes.map((each) => each.kill9()));
    await remove();
    for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
  }
}

/** One issuer and one ring of keys, and a data dir of its own for each. */
async function openBoth(uri: string) {
  const dirs = [1, 2].map(() => mkdtempSync(join(tmpdir(), 'tombolo-two-')));
  const [first = '', second = ''] = dirs;
  const keys = await openDevelopmentKeys(first);
  const identity = await openIdentity(first);
  copyFileSync(join(first, 'identity.jwk.json'), join(second, 'identity.jwk.json'));
  const tokens = new Map<string | undefined, string>();
  for (const subject of subjects) tokens.set(subject, await identity.mint({ subject, roles: ['editor'], plan: 'bench' }));
  const processes = dirs.map((dir) => new OriginProcess({
    TOMBOLO_DATA_DIR: dir, TOMBOLO_KEYS: keys, MONGODB_URI: uri, TOMBOLO_ENV: 'development', TOMBOLO_SEED: '0',
    TOMBOLO_MEMO_MS: String(bounds.memoMs), TOMBOLO_FEED_SILENT_MS: String(bounds.feedSilentMs),
    TOMBOLO_ANONYMOUS_PLAN: 'bench', TOMBOLO_FLOOD_MAX: '1000000',
  }, oneProcess));
  return { dirs, tokens, processes };
}

/** Any of them, whoever was asked before. */
function toBalancer(processes: readonly OriginProcess[], tokens: ReadonlyMap<string | undefined, string>, random: Random): Door {
  const doors = processes.map(({ url }) => edgeDoor({ edge: { url } }, tokens));
  return {
    name: 'by a balancer',
    send(path, sent, signal) {
      const door = random.pick(doors);
      if (door === undefined) throw new Error('there is no process');
      return door.send(path, sent, signal);
    },
  };
}
