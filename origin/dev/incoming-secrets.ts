/** Secrets of the senders of webhooks for development: random, made at the first start, a file each in the data dir. */
import { join } from 'node:path';
import { sources } from '../../shared/endpoints/sources.ts';
import { openSecretFile } from './secret-file.ts';

const secretBytes = 24;

/** The text of `TOMBOLO_INCOMING_SECRETS`, to be put into the settings as if it had been set. */
export async function openDevelopmentSecrets(dataDir: string): Promise<string> {
  const entries = await Promise.all(sources.map(async ({ name }) => {
    const make = () => `whsec_${Buffer.from(crypto.getRandomValues(new Uint8Array(secretBytes))).toString('base64')}`;
    return `${name}:${(await openSecretFile(join(dataDir, `incoming-${name}`), make)).trim()}`;
  }));
  return entries.join(',');
}
