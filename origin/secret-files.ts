/** Secrets from files, as Docker's secrets and Vault's agent write them: `TOMBOLO_KEYS_FILE` names one in place of `TOMBOLO_KEYS`. */
import { readFileSync } from 'node:fs';
import { SettingsError, type Variables } from '../shared/settings/reader.ts';

const secrets = ['MONGODB_URI', 'TOMBOLO_INCOMING_SECRETS', 'TOMBOLO_KEYS', 'TOMBOLO_PEOPLE_SECRET', 'TOMBOLO_SMTP_URL'] as const;

/** Each as if it had been set; read once, at the start. Throws a `SettingsError` that never tells what is in a file. */
export function withSecretFiles(given: Variables): Variables {
  const read: Record<string, string> = {};
  for (const name of secrets) {
    const path = given[`${name}_FILE`];
    if (typeof path !== 'string' || path === '') continue;
    if ((given[name] ?? '') !== '') throw new SettingsError([`${name}_FILE: stands beside ${name}; one is enough`]);
    read[name] = mustText(name, path);
  }
  return { ...given, ...read };
}

function mustText(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'no reason';
    throw new SettingsError([`${name}_FILE: cannot be read (${code})`]);
  }
}
