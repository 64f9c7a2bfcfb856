/** Whether the programs that run this are those that it was tested with. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { type Finding, right, skipped, wrong } from './finding.ts';
import type { Patient } from './patient.ts';

const packageSchema = z.object({
  version: z.string().optional(),
  engines: z.object({ node: z.string() }).optional(),
  dependencies: z.record(z.string(), z.string()).optional(),
  devDependencies: z.record(z.string(), z.string()).optional(),
});

export function versionFindings(patient: Patient): readonly Finding[] {
  const declared = mustPackage(join(patient.project, 'package.json'));
  return [
    ofBun(declared.dependencies?.['bun'] ?? ''),
    ofNode(patient, declared.engines?.node ?? '*'),
    ofWrangler(patient, declared.devDependencies?.['wrangler'] ?? ''),
  ];
}

function mustPackage(path: string) {
  return packageSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
}

function ofBun(declared: string): Finding {
  if (Bun.version === declared) return right('bun', Bun.version);
  return wrong('bun', {
    found: `${Bun.version} runs this; ${declared} is declared`,
    matters: 'tests ran on the declared one alone: SQLite and the HTTP server are part of it',
    mend: 'npm run bring, then start by npm, or by node_modules/.bin/bun',
  });
}

function ofNode({ which }: Patient, wanted: string): Finding {
  const node = which('node');
  if (node === null) return skipped('node', 'not on PATH; Bun does without it, workerd and wrangler do not');
  const version = Bun.spawnSync([node, '--version']).stdout.toString().trim().replace(/^v/, '');
  if (Bun.semver.satisfies(version, wanted)) return right('node', version);
  return wrong('node', {
    found: `${version || 'no version'} at ${node}; ${wanted} is needed`,
    matters: 'npm start and npm run deploy start workerd and wrangler by it',
    mend: 'install a newer Node: https://nodejs.org/en/download',
  });
}

function ofWrangler({ project }: Patient, declared: string): Finding {
  const path = join(project, 'node_modules/wrangler/package.json');
  if (!existsSync(path)) return skipped('wrangler', 'not installed; only a deploy of the edge needs it');
  const version = mustPackage(path).version ?? 'no version';
  if (version === declared) return right('wrangler', version);
  return wrong('wrangler', {
    found: `${version} is installed; ${declared} is declared`,
    matters: 'a deploy bundles another Worker than the tested one',
    mend: 'npm run bring',
  });
}
