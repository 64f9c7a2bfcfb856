/**
 * The metrics of this process as OpenMetrics text. Series are bounded: labels are names of operations, services, reasons and
 * kinds, and statuses of HTTP; never what a caller sent or who it was.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Counter, Gauge, Registry } from '@prometheus-io/client';
import type { OriginContext } from '../origin-context.ts';
import { type FigureKind, figureKinds, type Figures } from '../services/figures.ts';
import { watchProcess } from './process.ts';

type Told = Pick<OriginContext, 'contract' | 'store' | 'services' | 'refusals' | 'imports' | 'exports' | 'answers'>;

type Labelled = Gauge<'service'> | Counter<'service'>;

const names = Object.keys(figureKinds) as readonly (keyof Figures)[];

export class Metrics {
  readonly contentType: string;
  readonly #told: Told;
  readonly #registry: Registry;
  readonly #endLooks: () => void;
  readonly #ready: Gauge<'service'>;
  readonly #figures: ReadonlyMap<keyof Figures, Labelled>;
  #scraping: Promise<string> | undefined;

  constructor(told: Told, registry: Registry) {
    this.#told = told;
    this.#registry = registry;
    this.contentType = registry.contentType;
    this.#endLooks = watchProcess(registry);
    const registers = [registry];
    this.#ready = new Gauge({
      name: 'tombolo_service_ready', help: '1 where the service does its work; /ready says of 0 why', labelNames: ['service'], registers,
    });
    this.#figures = new Map(names.map((name) => [name, toLabelled(figureKinds[name], registry)]));
    const { contract, store } = told;
    new Gauge({
      name: 'tombolo_build_info', help: 'What runs: version, contract and engine', labelNames: ['version', 'contract', 'engine'], registers,
    }).set({ version: versionOf(join(import.meta.dir, '../../package.json')), contract: contract.digest, engine: store.engine }, 1);
    countCalls(told, registry);
    countAnswers(told, registry);
  }

  /** Those who ask at once are given the same text. */
  scrape(): Promise<string> {
    this.#scraping ??= this.#scrape().finally(() => (this.#scraping = undefined));
    return this.#scraping;
  }

  close(): void {
    this.#endLooks();
  }

  async #scrape(): Promise<string> {
    const { services } = this.#told;
    const [states, told] = await Promise.all([services.states(), services.figures()]);
    for (const metric of [this.#ready, ...this.#figures.values()]) metric.reset();
    for (const [service, { ready }] of Object.entries(states)) this.#ready.set({ service }, ready ? 1 : 0);
    for (const { service, figures } of told) {
      for (const [name, metric] of this.#figures) {
        const figure = figures[name];
        if (figure !== undefined) metric.inc({ service }, figure);
      }
    }
    return this.#registry.metrics();
  }
}

function versionOf(manifest: string): string {
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { readonly version: string }).version;
}

function toLabelled({ metric: name, kind, help }: FigureKind, registry: Registry): Labelled {
  const configuration = { name, help, labelNames: ['service'] as const, registers: [registry] };
  return kind === 'gauge' ? new Gauge(configuration) : new Counter(configuration);
}

function countCalls({ refusals, imports, exports }: Told, registry: Registry): void {
  const registers = [registry];
  new Counter({
    name: 'tombolo_refusals', help: 'Requests refused, by the reason in the problem document', labelNames: ['reason'], registers,
    collect() {
      this.reset();
      for (const [reason, count] of refusals) this.inc({ reason }, count);
    },
  });
  new Gauge({
    name: 'tombolo_long_calls_under_way', help: 'Imports and exports that run', labelNames: ['kind'], registers,
    collect() {
      this.set({ kind: 'imports' }, imports.running);
      this.set({ kind: 'exports' }, exports.running);
    },
  });
}

/** With SQLite alone answers are kept. */
function countAnswers({ answers }: Told, registry: Registry): void {
  if (answers === undefined) return;
  const registers = [registry];
  new Counter({
    name: 'tombolo_kept_answers', help: 'Answers that were shown as they were kept, and that were made anew', labelNames: ['outcome'],
    registers,
    collect() {
      const { shown, made } = answers.counts;
      this.reset();
      this.inc({ outcome: 'shown' }, shown);
      this.inc({ outcome: 'made' }, made);
    },
  });
  new Gauge({
    name: 'tombolo_kept_answers_bytes', help: 'What the answers that are kept take in memory', registers,
    collect() {
      this.set(answers.counts.bytes);
    },
  });
}
