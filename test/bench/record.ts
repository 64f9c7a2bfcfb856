/** The record of a run: figures, and what they were measured on. */
import { readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import type { Contender } from './contenders.ts';
import { type Measured, median } from './rounds.ts';

export interface Figures extends Measured {
  readonly name: string;
  readonly comparison?: Comparison;
  /** What it does more than, with the rows between the two. */
  readonly step?: string;
}

/** Medians over the rounds of what stood side by side within one: 1 is as good as bare. */
interface Comparison {
  readonly beside: string;
  readonly goal?: number;
  readonly requestsPerSecond: number;
  readonly cpu: number;
}

export interface ImportFigures {
  readonly name: string;
  readonly way: string;
  readonly rows: number;
  readonly rowsPerSecond: number;
  readonly originCpuMicrosPerRow: number;
}

export interface RunSettings {
  readonly command: string;
  readonly rounds: number;
  readonly forMs: number;
  /** Of the round before them, where it was longer. */
  readonly warmMs?: number;
  readonly connections: number;
}

export interface BenchRecord {
  readonly date: string;
  readonly machine: string;
  readonly versions: string;
  readonly settings: RunSettings;
  readonly requests: readonly Figures[];
  readonly imports: readonly ImportFigures[];
}

export interface Found {
  readonly contenders: readonly Contender[];
  readonly measured: ReadonlyMap<string, readonly Measured[]>;
  readonly imports: readonly ImportFigures[];
  readonly settings: RunSettings;
}

export function toRecord({ contenders, measured, imports, settings }: Found): BenchRecord {
  const [core] = cpus();
  return {
    date: new Date().toISOString(),
    machine: [
      `${cpus().length} cores`, core?.model.trim(), `${process.platform} ${process.arch}`,
      `load average of the last five minutes ${loadavg()[1]?.toFixed(1)}`,
    ].join(', '),
    versions: [
      `Bun ${Bun.version}`, ...['hono', 'workerd', 'miniflare', 'zod', 'drizzle-orm'].map((name) => `${name} ${versionOf(name)}`),
    ].join(', '),
    settings,
    requests: contenders.map((contender) => toFigures(contender, measured)),
    imports,
  };
}

function versionOf(name: string): string {
  const file = join(import.meta.dir, '../../node_modules', name, 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }).version;
}

function toFigures({ name, step, goal }: Contender, measured: Found['measured']): Figures {
  const own = measured.get(name) ?? [];
  const of = (field: keyof Measured) => median(own.map((round) => round[field]));
  const medians: Measured = {
    requestsPerSecond: of('requestsPerSecond'), p50Ms: of('p50Ms'), p99Ms: of('p99Ms'), marked: of('marked'),
    cpuMicrosPerRequest: of('cpuMicrosPerRequest'), loadCpuMicrosPerRequest: of('loadCpuMicrosPerRequest'),
  };
  const row = { name, ...(step === undefined ? {} : { step }), ...medians };
  if (goal === undefined) return row;
  const bare = measured.get(goal.beside) ?? [];
  const ratio = (share: (own: Measured, bare: Measured) => number) => median(own.flatMap((round, index) => {
    const beside = bare[index];
    return beside === undefined ? [] : [share(round, beside)];
  }));
  return {
    ...row,
    comparison: {
      beside: goal.beside, ...(goal.share === undefined ? {} : { goal: goal.share }),
      requestsPerSecond: ratio((round, beside) => round.requestsPerSecond / beside.requestsPerSecond),
      cpu: ratio((round, beside) => beside.cpuMicrosPerRequest / round.cpuMicrosPerRequest),
    },
  };
}
