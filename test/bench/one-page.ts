/** The record of `npm run bench -- one`, `-- data` or `-- mongo`, as a page to read. */
import { toName } from './one-contenders.ts';
import type { BenchRecord, Figures } from './record.ts';
import { filmsNote, table, thousands } from './record-page.ts';

/** What a program needs besides CPU. */
export interface Footprint {
  readonly who: string;
  /** Resident memory of all its processes after the load. */
  readonly megabytes: number;
  /** From its start to its first answer. */
  readonly readyMs: number | undefined;
}

export interface OneRecord extends BenchRecord {
  readonly footprints: readonly Footprint[];
}

export interface OneWords {
  readonly title: string;
  /** Of each thing that is asked what it is. */
  readonly readings: Readonly<Record<string, string>>;
  /** Who is not ours, and what a machine must have to measure it. */
  readonly peer: { readonly name: string; readonly needs: string };
  /** What else is to be known. */
  readonly notes?: readonly string[];
}

export function toOnePage({ title, readings, peer, notes = [] }: OneWords, record: OneRecord): string {
  const { date, machine, versions, settings: { command, rounds, forMs, warmMs = forMs, connections }, requests, footprints } = record;
  return [
    `# ${title}: the record`,
    '',
    `\`${command}\` on ${date}: ${machine}; ${versions}.`,
    '',
    `${rounds} rounds of ${forMs} ms each after one of ${warmMs} ms to warm up, contenders in turn, ${connections} connections with`,
    'one request under way on each. Each server shares the cores with the load generator and with whatever else runs; CPU is user and',
    `system time of all processes that a request passes, and moves least with noise. "× ${peer.name}" is by CPU, the median over the`,
    'rounds of what stood side by side in one.',
    '',
    ...[filmsNote, ...notes].flatMap((note) => [note, '']),
    ...Object.entries(readings).flatMap(([ask, reading]) => [
      `**${ask}**: ${reading}`,
      '',
      ...table(
        ['', 'requests per CPU second', `× ${peer.name}`, 'goal', 'requests/s', 'p50 ms', 'p99 ms'],
        requests.flatMap((figures) => footprints.flatMap(({ who }) => (toName(who, ask) === figures.name ? [toRow(who, figures)] : []))),
      ),
      '',
    ]),
    ...table(
      ['', 'memory after the load, MB', 'ready, ms'],
      footprints.map(({ who, megabytes, readyMs }) => [who, megabytes.toFixed(0), readyMs === undefined ? '' : readyMs.toFixed(0)]),
    ),
    '',
    ...(footprints.some(({ who }) => who === peer.name) ? [] : [`${peer.name} was not measured: this machine has no ${peer.needs}.`, '']),
  ].join('\n');
}

function toRow(who: string, { cpuMicrosPerRequest, comparison, requestsPerSecond, p50Ms, p99Ms, marked }: Figures): string[] {
  return [
    marked < 0.995 ? `${who} (${(marked * 100).toFixed(0)} % of the answers)` : who,
    thousands(1e6 / cpuMicrosPerRequest),
    comparison === undefined ? '' : comparison.cpu.toFixed(2),
    comparison?.goal === undefined ? '' : `≥ ${comparison.goal}`,
    thousands(requestsPerSecond), p50Ms.toFixed(2), p99Ms.toFixed(2),
  ];
}
