/**
 * `npm run --silent token -- --sub alice --role editor --tenant acme`: prints a token for this data dir's
 * Tombolo, alone on its line, so that it goes straight into `$(…)`. Development only.
 */
import { parseArgs } from 'node:util';
import { mustDevelopmentSettings } from './development.ts';
import { openIdentity } from './identity.ts';

const usage = 'usage: npm run --silent token -- --sub <subject> [--role <role>]… [--tenant <tenant>] [--seconds <1…86400>]';
const secondsMax = 86_400;

async function printToken(given: string[]): Promise<void> {
  const { values } = parseArgs({
    args: given,
    options: { sub: { type: 'string' }, role: { type: 'string', multiple: true }, tenant: { type: 'string' }, seconds: { type: 'string' } },
  });
  if (values.sub === undefined || values.sub === '') throw new Error('--sub is required');
  const seconds = values.seconds === undefined ? undefined : Number(values.seconds);
  if (seconds !== undefined && !(Number.isInteger(seconds) && seconds >= 1 && seconds <= secondsMax)) throw new Error(`--seconds must be 1 to ${secondsMax}`);
  const settings = await mustDevelopmentSettings(process.env);
  const identity = await openIdentity(settings.dataDir);
  const token = await identity.mint({
    subject: values.sub,
    roles: values.role ?? [],
    ...(values.tenant === undefined ? {} : { tenant: values.tenant }),
    ...(seconds === undefined ? {} : { secondsToLive: seconds }),
  });
  process.stdout.write(`${token}\n`);
}

try {
  await printToken(process.argv.slice(2));
} catch (cause) {
  process.stderr.write(`token: ${cause instanceof Error ? cause.message : String(cause)}\n${usage}\n`);
  process.exitCode = 2;
}
