/**
 * What a program is given: its environment; then what stands in `.env.production` or `.env.development`, by `TOMBOLO_ENV`, and in
 * `.env` of the working directory; the first that names a variable wins. Then secrets from files, as Docker's secrets and Vault's
 * agent write them: `TOMBOLO_KEYS_FILE` names one in place of `TOMBOLO_KEYS`. All is read at
 * the start, and some of it anew at HUP (`rotating-settings.ts`).
 *
 * Bun's own reading of such files is off (`bunfig.toml`): it goes by NODE_ENV, and would give a production host what stands in
 * `.env.development`.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { type Environment, SettingsError, SettingsReader, type Variables } from '../shared/settings/reader.ts';
import { exitConfiguration } from './exit-codes.ts';
import { dataDirDefault } from './settings.ts';

/** The settings that may stand in files of their own. */
export const secrets = [
  'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'MONGODB_URI', 'TOMBOLO_INCOMING_SECRETS', 'TOMBOLO_KEYS',
  'TOMBOLO_METRICS_TOKEN', 'TOMBOLO_PEOPLE_OIDC', 'TOMBOLO_PEOPLE_SECRET', 'TOMBOLO_SMTP_URL', 'UPSTASH_REDIS_REST_TOKEN',
] as const;

/** Throws a `SettingsError` that never tells what is in a file. */
export function givenVariables(): Variables {
  return withSecretFiles(withEnvironmentFiles());
}

export function withEnvironmentFiles(environment: Variables = process.env, dir = process.cwd()): Variables {
  const common = { ...readFile(dir, '.env'), ...defined(environment) };
  return { ...common, ...readFile(dir, `.env.${environmentOf(common)}`), ...defined(environment) };
}

/** For a command: what is wrong is its last word. */
export function givenOrExit(name: string): Variables {
  try {
    return givenVariables();
  } catch (cause) {
    if (!(cause instanceof SettingsError)) throw cause;
    process.stderr.write(`${name}: ${cause.message}\n`);
    return process.exit(exitConfiguration);
  }
}

/** The database that a command is about, and where the embedded one lies. */
export function placesOf(variables: Variables): { readonly uri: string; readonly dataDir: string } {
  const reader = new SettingsReader(variables);
  return { uri: reader.optional('MONGODB_URI'), dataDir: reader.optional('TOMBOLO_DATA_DIR') || dataDirDefault };
}

function environmentOf(variables: Variables): Environment {
  return variables['TOMBOLO_ENV'] === 'production' ? 'production' : 'development';
}

/** A variable that is set to nothing is set. */
function defined(environment: Variables): Variables {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined));
}

function readFile(dir: string, name: string): Variables {
  const path = join(dir, name);
  return existsSync(path) ? parseEnv(mustText(name, path)) : {};
}

export function withSecretFiles(variables: Variables): Variables {
  const read: Record<string, string> = {};
  for (const name of secrets) {
    const path = variables[`${name}_FILE`];
    if (typeof path !== 'string' || path === '') continue;
    if ((variables[name] ?? '') !== '') throw new SettingsError([`${name}_FILE: stands beside ${name}; one is enough`]);
    read[name] = mustText(`${name}_FILE`, path).trim();
  }
  return { ...variables, ...read };
}

function mustText(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'no reason';
    throw new SettingsError([`${name}: cannot be read (${code})`]);
  }
}
