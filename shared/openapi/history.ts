/** What the description says of the log of changes of a document. */
import type { Resource } from '../contract/resource.ts';
import { type DescribedAnswer, type QueryParameter, schemaRef } from './described.ts';
import { shownPartOf } from './related.ts';
import { afterLike, limitOf, pageSchema } from './pages.ts';

const json = 'application/json';
const text = { type: ['string', 'null'] } as const;

export function historyAnswer(resource: Resource): readonly DescribedAnswer[] {
  const image = { anyOf: [schemaRef(shownPartOf(resource)), { type: 'null' }] };
  const event = {
    at: { type: 'string', format: 'date-time' },
    change: {
      enum: ['created', 'updated', 'deleted', 'entered', 'left'], description: 'As in a change feed, by the images that are shown.',
    },
    operation: { type: 'string', description: 'Of a request, an endpoint or a job; `outside`: another program wrote it.' },
    request: { ...text, description: 'The `X-Request-Id` of the answer.' },
    by: {
      type: ['object', 'null'], required: ['subject', 'tenant', 'key', 'system'], additionalProperties: false,
      properties: {
        subject: text, tenant: text, key: { ...text, description: 'The id of the API key that asked.' },
        system: { type: 'boolean', description: 'Whether it was done past the rules, for the subject or for nobody.' },
      },
    },
    before: image, after: image,
  };
  return [{
    status: 200, description: 'A page, the last event first; it may have fewer events than `limit`.', headers: ['Cache-Control'],
    mediaType: json,
    schema: pageSchema({ type: 'object', required: Object.keys(event), properties: event, additionalProperties: false }),
  }];
}

export function historyParameters(): readonly QueryParameter[] {
  return [limitOf('Events'), afterLike()];
}

/** What the log promises of itself. */
export function historyWords({ history }: Resource): { readonly words: string; readonly extensions: { readonly 'x-kept-days': number } } {
  const keptDays = history?.keptDays ?? 0;
  return { words: `An event is kept for ${keptDays} days.`, extensions: { 'x-kept-days': keptDays } };
}
