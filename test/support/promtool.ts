/**
 * Which alerts of `origin/metrics/alerts.yml` fire, as Prometheus's own promtool judges them, with how long they must hold. What
 * was counted between two scrapes goes on at that pace, once a minute for an hour; a gauge stays as the later one has it.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Need } from './needs.ts';
import type { Sample } from './openmetrics.ts';

const project = join(import.meta.dir, '../..');
const brought = join(project, 'node_modules/.cache/tombolo/prometheus/usr/bin/promtool');
const path = existsSync(brought) ? brought : Bun.which('promtool');

export const promtool: Need = { met: path !== null, what: 'promtool, which .ci/run brings' };

/** `undefined`: nobody answers. */
export type Scrape = readonly Sample[] | undefined;

export interface Course {
  readonly before: Scrape;
  readonly after: Scrape;
  readonly job?: 'tombolo' | 'tombolo-edge';
  /** Gauges that grow as between the scrapes. */
  readonly growing?: readonly string[];
  /** A service whose lag grew, and goes on to do so by a minute a minute. */
  readonly behind?: string;
}

export interface Alert {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

const minutes = 60;

/** Those that fire at the end, by name. */
export function firing(course: Course): readonly Alert[] {
  const scratch = mkdtempSync(join(tmpdir(), 'tombolo-alerts-'));
  try {
    const file = join(scratch, 'tests.json');
    writeFileSync(file, JSON.stringify(toTest(course)));
    const { stdout, stderr } = Bun.spawnSync([path ?? 'promtool', 'test', 'rules', file], { cwd: scratch });
    return mustAlerts(`${stdout}${stderr}`);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** JSON is YAML. */
function toTest(course: Course) {
  const query = { expr: 'ALERTS{alertstate="firing"}', eval_time: `${minutes}m`, exp_samples: [] };
  return {
    rule_files: [join(project, 'origin/metrics/alerts.yml')],
    evaluation_interval: '5m',
    tests: [{ interval: '1m', input_series: toSeries(course), promql_expr_test: [query] }],
  };
}

function toSeries({ before, after, job = 'tombolo', growing = [], behind }: Course) {
  const target = { job, instance: 'it' };
  const up = { series: toName('up', target), values: `${Number(before !== undefined)} ${Number(after !== undefined)}x${minutes}` };
  const first = new Map((before ?? []).map(({ name, labels, value }) => [toName(name, labels), value]));
  const told = (after ?? []).filter(({ value }) => Number.isFinite(value)).map(({ name, labels, value }) => {
    const was = first.get(toName(name, labels));
    const grows = /_(total|bucket|sum|count)$/.test(name) || growing.includes(name) ? value - (was ?? 0) : 0;
    const isBehind = name === 'tombolo_service_lag_seconds' && labels['service'] === behind && value > (was ?? value);
    return { series: toName(name, { ...labels, ...target }), values: `${was ?? '_'} ${value}${toStep(isBehind ? 60 : grows)}x${minutes}` };
  });
  return [up, ...told];
}

function toStep(by: number): string {
  return by < 0 ? String(by) : `+${by}`;
}

function toName(name: string, labels: Sample['labels']): string {
  return `${name}{${Object.entries(labels).map(([key, value]) => `${key}="${value}"`).sort().join()}}`;
}

/** A test that expects none to fire says which do. */
function mustAlerts(output: string): readonly Alert[] {
  if (/^ {2}SUCCESS$/m.test(output)) return [];
  const got = /^ +got: (.+)$/m.exec(output)?.[1];
  if (got === undefined) throw new Error(`promtool: ${output}`);
  return [...got.matchAll(/\{__name__="ALERTS", alertname="(\w+)", alertstate="firing"([^}]*)\}/g)].map(([, name = '', labels = '']) => ({
    name, labels: Object.fromEntries([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value])),
  })).toSorted((a, b) => a.name.localeCompare(b.name));
}
