/** Counts as OpenMetrics 1.0 text, which a scraper asks for; a library for it weighs more than all of `edge/metrics`. */
import { type Counts, type OfOrigin, originSecondsOfBuckets } from './counts.ts';

export const openMetricsType = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

export function toOpenMetrics({ answers, origins, unitsSpent }: Counts): string {
  return [
    ...family('requests', 'counter', 'Answers, by operation, class of status, reason of a refusal and outcome of the cache'),
    ...[...answers.values()].map(({ count, ...names }) => `tombolo_edge_requests_total${toLabels(names)} ${count}`),
    ...family('units_spent', 'counter', 'Units of callers\' plans that were granted'),
    `tombolo_edge_units_spent_total ${unitsSpent}`,
    ...family('breaker_open', 'gauge', 'Whether nothing is sent to an origin'),
    ...[...origins].map(([origin, { isOpen }]) => `tombolo_edge_breaker_open${toLabels({ origin })} ${Number(isOpen)}`),
    ...family('origin_seconds', 'histogram', 'From a question to the head of the origin\'s answer'),
    ...[...origins].flatMap(([origin, of]) => toHistogram(origin, of)),
    '# EOF', '',
  ].join('\n');
}

function family(name: string, type: string, help: string): readonly string[] {
  return [`# TYPE tombolo_edge_${name} ${type}`, `# HELP tombolo_edge_${name} ${help}`];
}

/** No name has a quote, a backslash or a line break in it: they are words of the code, and origins of URLs. */
function toLabels(names: Readonly<Record<string, string | number>>): string {
  return `{${Object.entries(names).map(([name, value]) => `${name}="${value}"`).join()}}`;
}

function toHistogram(origin: string, { buckets, seconds }: OfOrigin): readonly string[] {
  const name = 'tombolo_edge_origin_seconds';
  let count = 0;
  const lines = buckets.map((here, index) =>
    `${name}_bucket${toLabels({ origin, le: originSecondsOfBuckets[index] ?? '+Inf' })} ${(count += here)}`);
  return [...lines, `${name}_sum${toLabels({ origin })} ${seconds}`, `${name}_count${toLabels({ origin })} ${count}`];
}
