/** `npm run serve`: edge and origin in one process, in development as `npm start` and in production as both are set. */
import { join } from 'node:path';
import { mustBeSound } from '../../shared/checks/sound.ts';
import { served } from '../../shared/resources/all.ts';
import { offered } from '../../shared/resources/plans.ts';
import { SettingsError, type Variables } from '../../shared/settings/reader.ts';
import { toUnknownVariables } from '../../shared/settings/unknown-variables.ts';
import { orCannotStart } from '../cannot-start.ts';
import { givenVariables } from '../given.ts';
import { rotatedByAll, rotateOnHup, RotatingSettings } from '../rotating-settings.ts';
import { StopWish } from '../stop-wish.ts';
import { attendBoth } from './attend-both.ts';
import { serve } from './serve.ts';
import { mustServeSettings } from './settings.ts';

// What is kept beside the data is for its owner's eyes alone, whoever made the directory.
process.umask(0o077);

const wish = new StopWish();

const say = (line: string): void => void process.stdout.write(`${line}\n`);

await orCannotStart({ name: 'tombolo', portVariable: 'TOMBOLO_EDGE_PORT' }, async () => {
  mustHaveNoOptions(process.argv.slice(2));
  mustBeSound(served, offered);
  const variables = givenVariables();
  for (const line of toUnknownVariables(variables)) say(`warning: ${line}`);
  const isProduction = variables['TOMBOLO_ENV'] === 'production';
  const close = isProduction ? await serveProduction(variables) : await serveInDevelopment(variables);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void wish.make(close));
});

/** Several processes that share a port are the origin's alone. */
function mustHaveNoOptions([option]: readonly string[]): void {
  if (option === undefined) return;
  throw new SettingsError([`${option}: there are no options; a further process has its own port and data dir, and the same MONGODB_URI`]);
}

/** What development needs is not loaded in production. */
async function serveInDevelopment(variables: Variables): Promise<() => Promise<void>> {
  const { serveDevelopment } = await import('./development.ts');
  return serveDevelopment(variables, join(import.meta.dir, '../..'), say);
}

function readAgain() {
  const variables = givenVariables();
  return { variables, settings: mustServeSettings(variables).settings };
}

async function serveProduction(variables: Variables): Promise<() => Promise<void>> {
  const asked = mustServeSettings(variables);
  const rotating = new RotatingSettings({ settings: asked.settings, variables }, rotatedByAll);
  const origin = await serve({ ...asked, settings: rotating.settings });
  attendBoth(origin);
  rotateOnHup(rotating, readAgain, origin.log);
  say(`tombolo ready: ${asked.tls === undefined ? 'http' : 'https'}://${asked.settings.originHost}:${origin.port}`);
  return () => origin.close();
}
