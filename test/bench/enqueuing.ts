/** What a job costs the write that causes it where it is called: creates of films over HTTP through one process, as in production. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openIdentity } from '../../origin/dev/identity.ts';
import { openDevelopmentKeys } from '../../origin/dev/keys.ts';
import { oneProcess, OriginProcess } from '../support/origin-process.ts';
import { makeWordlessFilms } from '../support/wordless-films.ts';
import type { Contender } from './contenders.ts';
import { filmBody } from './forward-contenders.ts';
import { LoadGenerator, toRequestBytes } from './load.ts';
import { type Disposals, opened } from './opened.ts';
import { measure, median } from './rounds.ts';

const script = 'test/bench/enqueuing-server.ts';
const options = { roundsMax: 7, untilMs: Number.POSITIVE_INFINITY, forMs: 1_000, warmMs: 2_000, connections: 32 };

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
  const dir = mkdtempSync(join(tmpdir(), 'tombolo-bench-enqueuing-'));
  disposals.push(() => rmSync(dir, { recursive: true, force: true }));
  const wordless = makeWordlessFilms({ [script]: readFileSync(join(import.meta.dir, '../..', script), 'utf8') });
  disposals.push(wordless.remove);
  const [keys, identity] = [await openDevelopmentKeys(dir), await openIdentity(dir)];
  const issuer = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => Response.json(identity.jwks) });
  disposals.push(() => issuer.stop(true));
  const token = await identity.mint({ subject: 'bench', roles: ['editor'], plan: 'bench' });
  const headers = { accept: '*/*', 'content-type': 'application/json', authorization: `Bearer ${token}` };
  const start = async (name: string, enqueues: string): Promise<Contender> => {
    mkdirSync(join(dir, name));
    const child = new OriginProcess({
      TOMBOLO_ENV: 'production', TOMBOLO_DATA_DIR: join(dir, name), TOMBOLO_KEYS: keys, TOMBOLO_FLOOD_MAX: '1000000000',
      TOMBOLO_ISSUER: identity.issuer, TOMBOLO_AUDIENCE: identity.audience, TOMBOLO_JWKS_URL: `${issuer.url.origin}/jwks.json`,
      TOMBOLO_ANONYMOUS_PLAN: 'bench', BENCH_ENQUEUES: enqueues,
    }, { ...oneProcess, script });
    disposals.push(() => child.kill9());
    await child.start(wordless);
    const requests = () => [toRequestBytes({ method: 'POST', target: '/v2/films', headers, body: filmBody })];
    return { name, server: { port: child.port, pid: child.pid }, status: 201, mark: 'fwd=method', requests };
  };
  return { contenders: [await start('alone', '0'), await start('causing', '1')] };
}
