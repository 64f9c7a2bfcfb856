/** An origin in this process that tells its metrics at a port, and what is read there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { afterCommit } from '../../origin/after-commit/after-commit.ts';
import { startMetrics } from '../../origin/metrics/listen.ts';
import { contract } from '../../shared/contract/contract.ts';
import { resource } from '../../shared/contract/resource.ts';
import { anyone } from '../../shared/contract/rules.ts';
import { freePort } from './free-port.ts';
import { mustSamples, type Sample } from './openmetrics.ts';
import { Pipeline } from './pipeline.ts';

const named = { id: { kind: 'string', format: z.string() }, shapes: { all: {} }, rules: { read: anyone, write: anyone } } as const;
export const posts = resource({ ...named, name: 'posts', live: true, schema: z.object({ text: z.string() }) });
export const served = contract(posts);
/** A hook whose handler has a bug. */
export const failing = afterCommit({
  name: 'failing', of: posts, resync: () => [],
  handle() {
    throw new Error('a bug');
  },
});

/** Variables of an origin that listens for whoever scrapes. */
export const aMetricsPort = () => ({ TOMBOLO_METRICS_PORT: String(freePort()) });

export class ScrapedOrigin extends Pipeline {
  override async begin(): Promise<void> {
    await super.begin();
    await startMetrics(this.context);
  }

  get url(): string {
    return `http://127.0.0.1:${this.context.settings.metrics?.port}`;
  }

  async scrapeText(): Promise<string> {
    return (await fetch(`${this.url}/metrics`)).text();
  }

  async scrape(): Promise<readonly Sample[]> {
    return mustSamples(await this.scrapeText());
  }
}

export function valueOf(samples: readonly Sample[], name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
  const isAsked = (sample: Sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value);
  return samples.find(isAsked)?.value;
}

const room = join(import.meta.dir, '../../origin/metrics');

const alerts = (Bun.YAML.parse(readFileSync(join(room, 'alerts.yml'), 'utf8')) as {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
}).groups.flatMap(({ rules }) => rules);

const dashboard = JSON.parse(readFileSync(join(room, 'dashboard.json'), 'utf8')) as {
  readonly panels: readonly { readonly targets?: readonly { readonly expr: string }[] }[];
};

export const alertNames = alerts.map(({ alert }) => alert);

/** Of the alerts and of the dashboard. */
export const expressions = [...alerts, ...dashboard.panels.flatMap(({ targets = [] }) => targets)].map(({ expr }) => expr);
