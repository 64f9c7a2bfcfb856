/**
 * `TOMBOLO_INCOMING_SECRETS="payments:whsec_…,payments:whsec_…,github:…"`: what sources sign with. A source may have several,
 * of which any is taken, so that a secret is changed without a gap.
 */
import { isActionName } from '../../shared/contract/reserved-names.ts';
import { incomingLimits } from '../../shared/incoming/limits.ts';
import type { SettingsReader } from '../../shared/settings/reader.ts';

const variable = 'TOMBOLO_INCOMING_SECRETS';

/** By the name of the source. */
export type IncomingSecrets = ReadonlyMap<string, readonly string[]>;

export function readIncomingSecrets(reader: SettingsReader): IncomingSecrets {
  const found = new Map<string, readonly string[]>();
  for (const [index, entry] of reader.optional(variable).split(',').filter((text) => text.trim() !== '').entries()) {
    const [name = '', ...rest] = entry.trim().split(':');
    const secret = rest.join(':');
    if (!isActionName(name) || secret === '') reader.complain(variable, `entry ${index + 1} is not <source>:<secret>`);
    else if (secret.length < incomingLimits.secretCharactersMin) {
      reader.complain(variable, `entry ${index + 1} has ${secret.length} characters; ${incomingLimits.secretCharactersMin} at least`);
    }
    found.set(name, [...(found.get(name) ?? []), secret]);
  }
  return found;
}
