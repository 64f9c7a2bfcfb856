/** One process in development: keys and an issuer of its own, and the sample in an empty store. */
import { mustRunSettings } from '../dev/development.ts';
import { openIdentity } from '../dev/identity.ts';
import { type Say, sayStarted } from '../dev/say-started.ts';
import { SettingsReader, type Variables } from '../../shared/settings/reader.ts';
import { attendBoth } from './attend-both.ts';
import { edgePortDefault } from '../settings.ts';
import { serve } from './serve.ts';
import { readNetwork } from './settings.ts';

export async function serveDevelopment(given: Variables, project: string, say: Say): Promise<() => Promise<void>> {
  const port = given['TOMBOLO_EDGE_PORT'] || edgePortDefault;
  // One port: the issuer's keys are where the API is.
  const run = await mustRunSettings({ ...given, TOMBOLO_EDGE_PORT: port, TOMBOLO_ORIGIN_PORT: port }, project);
  const reader = new SettingsReader(given);
  const { proxies, floodMax } = readNetwork(reader);
  reader.mustBeRight();
  const identity = await openIdentity(run.settings.dataDir);
  const origin = await serve({ ...run, proxies, floodMax, tls: undefined }, identity);
  attendBoth(origin);
  const url = `http://127.0.0.1:${origin.port}`;
  await sayStarted({ url, mint: identity.mint, settings: run.settings, origin, say });
  return () => origin.close();
}
