/** What of a webhook's request the origin checks beside its body: the headers of its source's form, and the address it came from. */
import { sources } from '../../shared/endpoints/sources.ts';
import { incomingLimits } from '../../shared/incoming/limits.ts';
import { headersOf } from '../../shared/incoming/source.ts';
import type { Validated } from '../request/request.ts';

/** JSON in ASCII; `undefined` where nobody is meant, or the headers are none that a source sends. */
export function toDelivery({ raw, sent, route: { id }, context: { host } }: Validated): string | undefined {
  const source = sources.find(({ name }) => name === id);
  if (source === undefined) return undefined;
  const headers = Object.fromEntries(headersOf(source.form).map((name) => [name, sent.get(name)]));
  const text = JSON.stringify({ address: host.addressOf(raw, sent) ?? null, headers });
  return text.length <= incomingLimits.headersCharactersMax && /^[\x20-\x7e]*$/.test(text) ? text : undefined;
}
