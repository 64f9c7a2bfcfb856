/** What a job costs the write that causes it where it is called: creates of films over HTTP through one process, as in production. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeWordlessFilms } from '../support/wordless-films.ts';
import type { Contender } from './contenders.ts';
import { filmBody } from './forward-contenders.ts';
import { LoadGenerator, toRequestBytes } from './load.ts';
import { type Disposals, opened } from './opened.ts';
import { openProduction, toCreateFields } from './production.ts';
import { measure, median } from './rounds.ts';

const script = 'test/bench/enqueuing-server.ts';
const options = { roundsMax: 15, untilMs: Number.POSITIVE_INFINITY, forMs: 1_000, warmMs: 2_000, connections: 32 };

/** Of one create, with a hook before it that enqueues nothing, or a job. */
export interface Creates {
  readonly alone: CreateSpent;
  readonly causing: CreateSpent;
  /** Of CPU: the median of those of each round. */
  readonly ratio: number;
}

interface CreateSpent {
  readonly perSecond: number;
  /** Of the server's process, all its threads. */
  readonly cpuMicros: number;
}

export async function measureCreates(): Promise<Creates> {
  const world = await opened(open);
  const load = new LoadGenerator();
  try {
    const measured = await measure(load, world.contenders, options);
    const [alone = [], causing = []] = world.contenders.map(({ name }) => measured.get(name));
    const toSpent = (rounds: typeof alone) => ({
      perSecond: median(rounds.map(({ requestsPerSecond }) => requestsPerSecond)),
      cpuMicros: median(rounds.map(({ cpuMicrosPerRequest }) => cpuMicrosPerRequest)),
    });
    const ratios = causing.map(({ cpuMicrosPerRequest }, round) => cpuMicrosPerRequest / (alone[round]?.cpuMicrosPerRequest ?? Number.NaN));
    return { alone: toSpent(alone), causing: toSpent(causing), ratio: median(ratios) };
  } finally {
    await load.close();
    await world.close();
  }
}

async function open(disposals: Disposals): Promise<{ readonly contenders: readonly Contender[] }> {
  const { releaseDir, remove } = makeWordlessFilms({ [script]: readFileSync(join(import.meta.dir, '../..', script), 'utf8') });
  disposals.push(remove);
  const { token, start } = await openProduction(disposals);
  const requests = () => [toRequestBytes({ method: 'POST', target: '/v2/films', headers: toCreateFields(token), body: filmBody })];
  const toContender = async (name: string, enqueues: string): Promise<Contender> => {
    const { port, pid } = await start({ releaseDir, script, variables: { BENCH_ENQUEUES: enqueues } });
    return { name, server: { port, pid }, status: 201, mark: 'fwd=method', requests };
  };
  return { contenders: [await toContender('alone', '0'), await toContender('causing', '1')] };
}
