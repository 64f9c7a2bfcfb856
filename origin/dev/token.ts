/**
 * `npm run --silent token -- --sub alice --role editor --tenant acme`: prints a token for this data dir's
 * Tombolo, alone on its line, so that it goes straight into `$(…)`. Development only.
 */
import { parseArgs } from 'node:util';
import { givenVariables } from '../given.ts';
import { mustDevelopmentSettings } from './development.ts';
import { type Claims, openIdentity } from './identity.ts';
import { messageOf } from '../../shared/message-of.ts';

const secondsMax = 86_400;

const usage = `usage: npm run --silent token -- --sub <subject> [options]
  --sub <subject>        whom the token names; required
  --role <role>          a role; may be given several times
  --tenant <tenant>      the claim "tenant"
  --plan <plan>          the claim "plan": a plan of shared/resources/plans.ts
  --claim <name>=<value> any other claim, JSON where it is JSON (level=3) and a text otherwise; may be given several times
  --seconds <1…${secondsMax}>    how long the token holds; an hour unless said
  --help                 this`;

/** Claims that have an option of their own, or that the identity provider writes. */
const taken: ReadonlySet<string> = new Set(['sub', 'roles', 'tenant', 'plan', 'iss', 'aud', 'iat', 'exp', '__proto__']);

async function run(given: string[]): Promise<string> {
  const text = { type: 'string' } as const;
  const several = { type: 'string', multiple: true } as const;
  const { values } = parseArgs({
    args: given,
    options: { sub: text, role: several, tenant: text, plan: text, claim: several, seconds: text, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help === true) return usage;
  if (values.sub === undefined || values.sub === '') throw new Error('--sub is required');
  const claims: Claims = {
    subject: values.sub,
    roles: values.role ?? [],
    others: Object.fromEntries((values.claim ?? []).map(mustClaim)),
    ...(values.tenant === undefined ? {} : { tenant: values.tenant }),
    ...(values.plan === undefined ? {} : { plan: values.plan }),
    ...(values.seconds === undefined ? {} : { secondsToLive: mustSeconds(values.seconds) }),
  };
  const settings = await mustDevelopmentSettings(givenVariables());
  return (await openIdentity(settings.dataDir)).mint(claims);
}

function mustSeconds(text: string): number {
  const seconds = Number(text);
  if (!(Number.isInteger(seconds) && seconds >= 1 && seconds <= secondsMax)) throw new Error(`--seconds must be 1 to ${secondsMax}`);
  return seconds;
}

function mustClaim(text: string): readonly [name: string, value: unknown] {
  const at = text.indexOf('=');
  const name = text.slice(0, Math.max(at, 0));
  if (name === '') throw new Error('--claim is <name>=<value>');
  if (taken.has(name)) throw new Error(`--claim ${name}: has an option of its own, or is written by the issuer`);
  return [name, toValue(text.slice(at + 1))];
}

function toValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

try {
  process.stdout.write(`${await run(process.argv.slice(2))}\n`);
} catch (cause) {
  process.stderr.write(`token: ${messageOf(cause)}\n${usage}\n`);
  process.exitCode = 2;
}
