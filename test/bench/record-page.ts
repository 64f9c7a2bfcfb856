/** The record as a page to read. */
import type { BenchRecord, Figures, ImportFigures } from './record.ts';

/** What a film of the benchmarks lacks of one of the sample. */
export const filmsNote = 'Films are declared without the sample\'s shape by words (`byText`), since nobody beside them indexes those; ' +
  'what they cost stands in [ORIGIN.md](ORIGIN.md), "Words in an import".';

export function toPage({ date, machine, versions, settings, requests, imports }: BenchRecord): string {
  const { command, rounds, forMs, connections } = settings;
  return [
    '# The record of the benchmark',
    '',
    `\`${command}\` on ${date}: ${machine}; ${versions}.`,
    '',
    `${rounds} rounds of ${forMs} ms each after one to warm up, contenders in turn,`,
    `${connections} connections with one request under way on each;`,
    'servers, workerd and the load generator are processes of their own and share the cores with whatever else runs.',
    'A ratio is the median over the rounds of what stood side by side in one; "of bare, CPU" compares CPU seconds per request of',
    'the process measured, and moves least with noise. The generator\'s own CPU is told because it takes time from the server.',
    '',
    filmsNote,
    '',
    ...table(
      ['request', 'requests/s', 'p50 ms', 'p99 ms', 'CPU µs', 'of bare, requests/s', 'of bare, CPU', 'goal', 'generator CPU µs'],
      requests.filter((row) => !isStep(row)).map(toRequestRow),
    ),
    '',
    ...toSteps(requests),
    ...(imports.length === 0 ? [] : table(['import', 'way', 'rows', 'rows/s', 'origin CPU µs a row'], imports.map(toImportRow))),
    '',
  ].join('\n');
}

function isStep({ step, comparison }: Figures): boolean {
  return step !== undefined && comparison === undefined;
}

/** What each step of a request that goes through costs: the Worker of a row does what that of the row above does, and this. */
function toSteps(requests: readonly Figures[]): string[] {
  return requests.filter(({ name }) => requests.some(({ step }) => step === name)).flatMap((bare) => {
    const rows = [bare, ...requests.filter(({ step }) => step === bare.name)];
    const cells = rows.map(({ name, cpuMicrosPerRequest }, index) => {
      const before = rows[index - 1]?.cpuMicrosPerRequest;
      return [name, cpuMicrosPerRequest.toFixed(0), before === undefined ? '' : (cpuMicrosPerRequest - before).toFixed(0)];
    });
    return [...table(['step', 'CPU µs', 'more than above'], cells), ''];
  });
}

function toRequestRow({
  name, requestsPerSecond, p50Ms, p99Ms, cpuMicrosPerRequest, loadCpuMicrosPerRequest, marked, comparison,
}: Figures): string[] {
  const label = marked < 0.995 ? `${name} (${percent(marked)} of the answers)` : name;
  return [
    label, thousands(requestsPerSecond), p50Ms.toFixed(2), p99Ms.toFixed(2), cpuMicrosPerRequest.toFixed(1),
    comparison === undefined ? '' : percent(comparison.requestsPerSecond),
    comparison === undefined ? '' : percent(comparison.cpu),
    comparison?.goal === undefined ? '' : `≥ ${percent(comparison.goal)}`,
    loadCpuMicrosPerRequest.toFixed(1),
  ];
}

function toImportRow({ name, way, rows, rowsPerSecond, originCpuMicrosPerRow }: ImportFigures): string[] {
  return [name, way, thousands(rows), thousands(rowsPerSecond), originCpuMicrosPerRow.toFixed(1)];
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

export function thousands(value: number): string {
  return Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, ' ');
}
