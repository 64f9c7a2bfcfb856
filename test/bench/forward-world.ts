/**
 * What a request that goes through costs the Worker:
 *
 *   load ──▶ edge ┐ one workerd ──▶ an origin that costs little (Bun)
 *   load ──▶ bare ┘
 */
import { join } from 'node:path';
import { childrenOf } from '../../origin/dev/processes.ts';
import { startEdge } from '../support/edge.ts';
import { freePort } from '../support/free-port.ts';
import { Program } from '../support/program.ts';
import type { Reads, Server } from './bench-world.ts';
import { toNeighbour } from './neighbour.ts';

export interface ForwardWorld {
  readonly edge: Server;
  readonly passing: Server;
}

export interface ForwardOptions {
  readonly films: Reads;
  readonly keys: string;
  readonly issuer: string;
  readonly audience: string;
  readonly jwksUrl: string;
  readonly dir: string;
  /** Process ids of workerds that run already. */
  readonly others: readonly number[];
}

export async function startForwardWorld(
  { films, keys, dir, others, ...identity }: ForwardOptions,
  disposals: (() => unknown)[],
): Promise<ForwardWorld> {
  const file = join(dir, 'signed-answers.json');
  await Bun.write(file, JSON.stringify({ keys, films: Object.fromEntries(films) }));
  const origin = new Program([process.execPath, join(import.meta.dir, 'signing-origin.worker.ts'), file], {
    cwd: import.meta.dir,
    env: process.env,
  });
  disposals.push(() => origin.kill());
  const [, originPort] = await origin.says(/^listening on (\d+)$/m);
  const originUrl = `http://127.0.0.1:${originPort}`;
  const [port, passingPort] = [freePort(), freePort()];
  const passing = await toNeighbour({ file: 'passing-edge.worker.ts', bindings: { ORIGIN: originUrl, KEYS: keys }, port: passingPort });
  const edge = await startEdge({
    ...identity, port, originUrl, keys, environment: 'production',
    workerModule: 'test/workerd/workers/bench.worker.ts',
    floodMax: 1e9,
    neighbours: [passing],
  });
  disposals.push(() => edge.close());
  const pid = childrenOf(process.pid, 'workerd').find((child) => !others.includes(child.pid))?.pid ?? 0;
  return { edge: { port, pid }, passing: { port: passingPort, pid } };
}
