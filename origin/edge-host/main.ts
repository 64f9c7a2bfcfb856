/**
 * `npm run edge`: the Worker on one's own host, for those without Cloudflare: the bundle of a deploy in workerd, in
 * production, with Durable Objects on the local disk.
 *
 *   declarations ─▶ settings ─▶ data dir taken, orphans ended ─▶ port free? ─▶ bundle ─▶ workerd ─▶ ready ─▶ signal ─▶ stopped
 *
 * `--build` makes the bundle and ends: an image holds it, and starts without the tools that make one.
 */
import { join } from 'node:path';
import { mustBeSound } from '../../shared/checks/sound.ts';
import { served } from '../../shared/resources/all.ts';
import { offered } from '../../shared/resources/plans.ts';
import { toUnknownVariables } from '../../shared/settings/unknown-variables.ts';
import { orCannotStart } from '../cannot-start.ts';
import { buildEdgeBundle } from '../dev/edge-bundle.ts';
import { onSignal } from '../dev/edge-worker.ts';
import { givenVariables } from '../given.ts';
import { StopWish } from '../stop-wish.ts';
import { runEdge } from './run-edge.ts';
import { mustEdgeHostSettings } from './settings.ts';

// What workerd keeps is for its owner's eyes alone, whoever made the directory.
process.umask(0o077);

const project = join(import.meta.dir, '../..');

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const isBuild = process.argv.includes('--build');

await orCannotStart({ name: 'tombolo edge', portVariable: 'TOMBOLO_EDGE_PORT' }, async () => {
  mustBeSound(served, offered);
  if (isBuild) return say(`tombolo edge built in ${(await buildEdgeBundle(project)).dir}`);
  const variables = givenVariables();
  for (const line of toUnknownVariables(variables)) process.stderr.write(`tombolo edge: ${line}\n`);
  const settings = mustEdgeHostSettings(variables, project);
  const wish = new StopWish();
  let close: () => Promise<void> = async () => undefined;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) onSignal(signal, () => void wish.make(() => close()));
  const edge = await runEdge(settings, { bundleDir: (await buildEdgeBundle(project)).dir, say });
  close = () => edge.close();
  say(`tombolo edge listening on http://${settings.host}:${settings.port}`);
});
