/**
 * Contenders in turn within every round, so that what else the machine does meets all of them; the first
 * round warms up and is not counted. A figure is the median of its rounds. On a machine that is busy elsewhere
 * there are fewer of them, so that a run ends in its time.
 */
import type { Contender } from './contenders.ts';
import { cpuSecondsOfAll } from './cpu-time.ts';
import { type LoadGenerator, type LoadReport } from './load.ts';

export interface Measured {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU of the processes measured, all threads together. */
  readonly cpuMicrosPerRequest: number;
  readonly loadCpuMicrosPerRequest: number;
  /** Share of answers that bear the contender's mark. */
  readonly marked: number;
}

export interface RoundsOptions {
  readonly roundsMax: number;
  /** `performance.now()` after which no further round begins. */
  readonly untilMs: number;
  readonly forMs: number;
  /** Of the first round, where code is compiled while it runs; as long as the others unless said. */
  readonly warmMs?: number;
  readonly connections: number;
}

export async function measure(
  load: LoadGenerator,
  contenders: readonly Contender[],
  options: RoundsOptions,
): Promise<ReadonlyMap<string, readonly Measured[]>> {
  const measured = new Map<string, Measured[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round <= options.roundsMax && (round <= 1 || performance.now() < options.untilMs); round++)
    for (const contender of contenders) {
      const found = await once(load, contender, round === 0 ? { ...options, forMs: options.warmMs ?? options.forMs } : options);
      if (round > 0) measured.get(contender.name)?.push(found);
    }
  return measured;
}

async function once(
  load: LoadGenerator,
  { name, server, status, mark = '', once = false, requests, connections: own }: Contender,
  { forMs, connections: most }: RoundsOptions,
): Promise<Measured> {
  const before = cpuSecondsOfAll(server);
  const report = await load.run({ port: server.port, requests: requests(), once, connections: own ?? most, forMs, status, mark });
  const cpuSeconds = cpuSecondsOfAll(server) - before;
  if (report.failed > 0 || report.requests === 0) throw new Error(`${name}: ${report.failed} of ${report.requests} requests failed`);
  return toMeasured(report, cpuSeconds);
}

function toMeasured({ requests, marked, seconds, cpuSeconds: loadSeconds, p50Ms, p99Ms }: LoadReport, cpuSeconds: number): Measured {
  return {
    requestsPerSecond: requests / seconds, p50Ms, p99Ms, marked: marked / requests,
    cpuMicrosPerRequest: (cpuSeconds / requests) * 1e6,
    loadCpuMicrosPerRequest: (loadSeconds / requests) * 1e6,
  };
}

export function median(values: readonly number[]): number {
  return [...values].sort((left, right) => left - right)[values.length >> 1] ?? Number.NaN;
}
