/** Whether `wrangler.toml` deploys an edge that works. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { offered } from '../../shared/resources/plans.ts';
import { readEdgeSettings } from '../../shared/settings/edge-settings.ts';
import { SettingsReader, type Variables } from '../../shared/settings/reader.ts';
import { toUnknownVariables } from '../../shared/settings/unknown-variables.ts';
import { secrets } from '../given.ts';
import { type Finding, right, skipped, wrong } from './finding.ts';
import type { Read } from './patient.ts';
import { messageOf } from '../../shared/message-of.ts';

const fileSchema = z.object({
  vars: z.record(z.string(), z.unknown()).default({}),
  durable_objects: z.object({ bindings: z.array(z.object({ name: z.string() })) }).default({ bindings: [] }),
  ratelimits: z.array(z.object({ name: z.string() })).default([]),
});

/** What the Worker asks its platform for. */
const bindings = ['COORDINATOR', 'COUNTERS', 'TICKETS', 'FLOOD'] as const;

export interface WorkerFile {
  readonly vars: Variables;
  readonly findings: readonly Finding[];
}

export function readWorkerFile(read: Read): WorkerFile {
  const path = join(read.project, 'wrangler.toml');
  if (!existsSync(path)) return { vars: {}, findings: [skipped('wrangler.toml', 'is not there; only a deploy of the edge needs it')] };
  try {
    const { vars, durable_objects: objects, ratelimits } = fileSchema.parse(Bun.TOML.parse(readFileSync(path, 'utf8')));
    const bound = new Set([...objects.bindings, ...ratelimits].map(({ name }) => name));
    const lines = [
      ...bindings.filter((name) => !bound.has(name)).map((name) => `binds no ${name}`),
      ...secrets.filter((name) => vars[name] !== undefined).map((name) => `has ${name}, a secret, among its variables`),
      ...toUnknownVariables(vars),
      ...settingsMistakes(vars, read),
    ];
    return { vars, findings: lines.length === 0 ? [soundOf(vars, read)] : lines.map(ofLine) };
  } catch (cause) {
    return { vars: {}, findings: [ofLine(`cannot be read: ${messageOf(cause)}`)] };
  }
}

/** What a clone leaves open, for whoever deploys to Cloudflare to fill in; all others give these to their programs. */
const leftOpen = ['TOMBOLO_ORIGIN_URL', 'TOMBOLO_ISSUER', 'TOMBOLO_AUDIENCE', 'TOMBOLO_JWKS_URL'] as const;

function isLeftOpen(vars: Variables): boolean {
  return leftOpen.every((name) => vars[name] === undefined);
}

function soundOf(vars: Variables, { settings }: Read): Finding {
  if (settings.environment === 'development' || !isLeftOpen(vars)) return right('wrangler.toml', 'has what the Worker asks for');
  return skipped('wrangler.toml', `a deploy to Cloudflare needs ${leftOpen.join(', ')} there; npm run edge and npm run serve do not`);
}

/** In development `npm start` gives the required ones. */
function settingsMistakes(vars: Variables, { settings, variables }: Read): readonly string[] {
  const reader = new SettingsReader({ ...vars, TOMBOLO_KEYS: variables['TOMBOLO_KEYS'] });
  readEdgeSettings(reader, offered.byName);
  const mayBeOpen = settings.environment === 'development' || isLeftOpen(vars);
  const isOpen = (line: string) => mayBeOpen && line.endsWith(': is missing');
  return reader.wrong.filter((line) => !isOpen(line) && !line.startsWith('TOMBOLO_KEYS:'));
}

/** Of the secrets the Worker reads these; the others are the origin's. */
const ofTheWorker: readonly string[] = ['TOMBOLO_KEYS', 'TOMBOLO_METRICS_TOKEN'];

function mendOf(line: string): string {
  const secret = secrets.find((name) => line.startsWith(`has ${name}, a secret`));
  if (secret === undefined) return 'mend the line in wrangler.toml; README, "Deploy"';
  if (!ofTheWorker.includes(secret)) return 'take the line out: only the origin reads it';
  return `npx wrangler secret put ${secret}, and take the line out`;
}

function ofLine(line: string): Finding {
  return wrong('wrangler.toml', {
    found: line, matters: 'the Worker deployed with it answers 503 misconfigured, or tells a secret',
    mend: mendOf(line),
  });
}
