/**
 * The hop's key ring for development: random, made at the first start, kept in the data dir. Production
 * never comes here: there a missing TOMBOLO_KEYS is a refusal to start.
 */
import { join } from 'node:path';
import { openSecretFile } from './secret-file.ts';

const secretBytes = 32;

/** The text of `TOMBOLO_KEYS`, to be put into the settings as if it had been set. */
export function openDevelopmentKeys(dataDir: string): Promise<string> {
  return openSecretFile(join(dataDir, 'keys'), () => {
    const secret = crypto.getRandomValues(new Uint8Array(secretBytes));
    return `dev-1:${Buffer.from(secret).toString('base64url')}`;
  });
}
