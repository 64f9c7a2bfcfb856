/** What the description says of webhooks that are sent to us. */
import { sources } from '../endpoints/sources.ts';
import { headersOf } from '../incoming/source.ts';
import type { JsonObject } from '../wire/values.ts';
import type { DescribedAnswer } from './described.ts';

export const receivedComponents = { 'application/json': 'Webhook' } as const;

export function incomingSchemas(): JsonObject {
  return { Webhook: { type: 'object', description: 'What the provider says, as it documents it.' } };
}

export function receivedAnswer(): readonly DescribedAnswer[] {
  return [{
    status: 202, description: 'It is committed, with the job that it becomes.', headers: [], mediaType: 'application/json',
    schema: {
      type: 'object', required: ['repeated'], additionalProperties: false,
      properties: { repeated: { type: 'boolean', description: 'Whether it was taken before; then nothing more is done.' } },
    },
  }];
}

export function receivedWords(): { readonly words: string; readonly extensions: JsonObject } {
  const names = sources.map(({ name, form }) => `\`${name}\` (${headersOf(form).map((header) => `\`${header}\``).join(', ')})`);
  return { words: `The id is the name of a source: ${names.join(', ') || 'none is declared'}.`, extensions: {} };
}

/** As a provider sends it. */
export function receivedExample(): Readonly<Record<string, JsonObject>> {
  return { 'application/json': { id: 'evt_1', type: 'charge.refunded', data: { object: {} } } };
}
