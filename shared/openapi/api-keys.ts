/** What the description says of API keys: the key as it is shown, and the two bodies. */
import { keyBodies } from '../api-keys/operations.ts';
import { shownOf } from '../contract/documents.ts';
import type { JsonObject } from '../wire/values.ts';
import { type DescribedAnswer, placeOf, type QueryParameter, schemaRef } from './described.ts';
import { headersOfStates } from './headers.ts';
import { toJsonSchema } from './json-schema.ts';
import { afterLike, limitOf, pageAnswer } from './pages.ts';

const json = 'application/json';
const text = { type: 'string' } as const;
const moment = { type: 'string', format: 'date-time' } as const;
const texts = { type: 'array', items: text } as const;

export const keyComponents = { newKey: { [json]: 'NewApiKey' }, rotation: { [json]: 'ApiKeyRotation' } } as const;

const shown = {
  id: text, name: text, owner: text, tenant: text, roles: texts,
  scopes: { ...texts, description: 'What it may ask for: `<resource>:<operation>`, with `read`, `write` or `*` for several operations.' },
  plan: text, addresses: { ...texts, description: 'Networks that it is taken from; none: from everywhere.' },
  origins: { ...texts, description: 'Origins of pages that it is taken from; none: from everywhere.' },
  createdAt: moment, expiresAt: moment, rotatedAt: moment,
  previousUntil: { ...moment, description: 'Until when the text before the last rotation is taken.' },
  lastUsedAt: { ...moment, description: 'To the minute; some seconds late.' },
} as const;
const required = ['id', 'name', 'owner', 'roles', 'scopes', 'addresses', 'origins', 'createdAt'] as const;

/** Bodies as a caller could send them. */
export const keyExamples = {
  newKey: { [json]: { name: 'nightly report', scopes: ['films:read'] } }, rotation: { [json]: { overlapSeconds: 3_600 } },
} as const;

/** Bodies by the names of their components. */
export function keySchemas(): JsonObject {
  return {
    NewApiKey: toJsonSchema(shownOf(keyBodies.newKey), 'input', placeOf('NewApiKey')),
    ApiKeyRotation: toJsonSchema(shownOf(keyBodies.rotation), 'input', placeOf('ApiKeyRotation')),
    ApiKey: { type: 'object', required: [...required], properties: shown, additionalProperties: false },
    ApiKeyMade: {
      type: 'object', required: [...required, 'key'], additionalProperties: false,
      properties: { ...shown, key: { ...text, description: 'Sent as a bearer token. Shown this once.' } },
    },
  };
}

export function keyAnswer(): readonly DescribedAnswer[] {
  return [{ status: 200, description: 'The key.', headers: headersOfStates, mediaType: json, schema: schemaRef('ApiKey') }];
}

export function keyMadeAnswer(): readonly DescribedAnswer[] {
  const headers = ['Location', 'Tombolo-Position'] as const;
  return [{ status: 201, description: 'The key, and its text.', headers, mediaType: json, schema: schemaRef('ApiKeyMade') }];
}

export function keysAnswer(): readonly DescribedAnswer[] {
  return pageAnswer(schemaRef('ApiKey'), 'A page, oldest first.');
}

export function keysParameters(): readonly QueryParameter[] {
  return [limitOf('Keys'), afterLike('^[0-9a-f]{24}$')];
}
