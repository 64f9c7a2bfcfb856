import type { Result } from './run-suites.ts';

export type Tally = { readonly passed: number; readonly failed: number; readonly notApplicable: number };

export function tally(results: readonly Result[]): Tally {
  const count = (status: Result['status']) => results.filter(result => result.status === status).length;
  return { passed: count('passed'), failed: count('failed'), notApplicable: count('not applicable') };
}

/** The share of the applicable tests that passed; 0 where none applies. */
export function passPercent({ passed, failed }: Tally): number {
  return passed + failed === 0 ? 0 : (100 * passed) / (passed + failed);
}

export function formatResult(result: Result): string {
  const mark = result.status === 'passed' ? 'ok  ' : result.status === 'failed' ? 'FAIL' : 'n/a ';
  const line = `${mark} ${result.suiteName}/${result.fileName}: ${result.test}`;
  return result.status === 'passed' ? `${line} (${result.ms} ms)` : `${line}\n       ${result.reason.replaceAll('\n', ' ')}`;
}

/** The reasons, each once, with how many tests it holds for. */
export function formatNotApplicable(results: readonly Result[]): string[] {
  const reasons = results.flatMap(result => (result.status === 'not applicable' ? [result.reason] : []));
  const counts = Map.groupBy(reasons, reason => reason);
  return [...counts].map(([reason, { length }]) => `n/a  ${String(length).padStart(4)}  ${reason}`);
}

export function formatSummary(results: readonly Result[]): string[] {
  const suites = Map.groupBy(results, ({ suiteName }) => suiteName);
  const lines = [...suites].map(([name, members]) => formatTally(name, tally(members)));
  return [...lines, formatTally('all', tally(results))];
}

function formatTally(name: string, counts: Tally): string {
  const { passed, failed, notApplicable } = counts;
  const percent = passed + failed === 0 ? '    – ' : `${passPercent(counts).toFixed(1).padStart(5)}%`;
  return `${name.padEnd(28)} ${percent}  passed ${passed}, failed ${failed}, not applicable ${notApplicable}`;
}
