/** Whether the settings can be read, and the hop's keys among them; a name that no setting has is told with the nearest. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SettingsError, SettingsReader, type Variables } from '../../shared/settings/reader.ts';
import { toUnknownVariables } from '../../shared/settings/unknown-variables.ts';
import { withSecretFiles } from '../given.ts';
import { readSettings, type Settings } from '../settings.ts';
import { type Finding, right, skipped, wrong } from './finding.ts';
import type { Patient, Read } from './patient.ts';

const makeKey = `node -p '"k1:" + Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url")'`;

export function readPatient(patient: Patient): { readonly read: Read; readonly findings: readonly Finding[] } {
  const { given, fault } = withSecrets(patient);
  const variables = withDevelopmentKeys(given);
  const reader = new SettingsReader(variables);
  const settings = readSettings(reader);
  const isKey = (line: string) => line.startsWith('TOMBOLO_KEYS:');
  const keyFault = fault ?? reader.wrong.find(isKey);
  const others = reader.wrong.filter((line) => !isKey(line));
  const findings = [
    ...others.map(ofSetting),
    ...toUnknownVariables(patient.variables).map(ofUnknown),
    ...(keyFault === undefined
      ? [right('keys', `${settings.keys.length}, the first is ${settings.keys[0].id}`)]
      : [ofKeys(keyFault, settings)]),
  ];
  if (findings.length === 1) findings.unshift(right('settings', settings.environment));
  return { read: { ...patient, variables, settings, keys: keyFault === undefined ? settings.keys : undefined }, findings };
}

function withSecrets({ variables }: Patient): { readonly given: Variables; readonly fault?: string } {
  try {
    return { given: withSecretFiles(variables) };
  } catch (cause) {
    if (!(cause instanceof SettingsError)) throw cause;
    return { given: variables, fault: cause.message };
  }
}

/** `npm start` keeps its own in the data directory. */
function withDevelopmentKeys(variables: Variables): Variables {
  const reader = new SettingsReader(variables);
  const { environment, dataDir } = readSettings(reader);
  const file = join(dataDir, 'keys');
  if (environment === 'production' || reader.optional('TOMBOLO_KEYS') !== '' || !existsSync(file)) return variables;
  return { ...variables, TOMBOLO_KEYS: readFileSync(file, 'utf8').trim() };
}

function ofSetting(line: string): Finding {
  return wrong('settings', {
    found: line, matters: 'the origin refuses to start with it (exit 78)',
    mend: `export ${line.split(':')[0] ?? ''}=…; README, "Settings"`,
  });
}

function ofUnknown(line: string): Finding {
  const [, near] = /did you mean (\w+)/.exec(line) ?? [];
  const name = line.split(':')[0] ?? '';
  return wrong('settings', {
    found: line, matters: 'it changes nothing, and what was meant has its default',
    mend: near === undefined ? `unset ${name}` : `export ${near}="$${name}"; unset ${name}`,
  });
}

function ofKeys(line: string, { environment }: Settings): Finding {
  if (environment === 'development' && line.includes('is missing')) return skipped('keys', 'there are none yet; npm start makes one');
  return wrong('keys', {
    found: line, matters: 'edge and origin believe one another by these keys alone', mend: `${makeKey}; the same value on both sides`,
  });
}
