/** What the description says of writes of several documents: their bodies, parameters and results. */
import type { Resource } from '../contract/resource.ts';
import type { Translation } from '../versions/translation.ts';
import { limits } from '../wire/limits.ts';
import type { Json, JsonObject } from '../wire/values.ts';
import { type DescribedAnswer, type QueryParameter, schemaRef } from './described.ts';
import { exampleIdOf } from './example-ids.ts';
import { listParametersOf } from './list-parameters.ts';
import { changesExampleOf } from './resource-schemas.ts';

const json = 'application/json';

export const changedItemsComponents = { [json]: 'ChangedItems', 'application/x-ndjson': 'ChangedItemLines' } as const;

const name = { type: ['string', 'integer'], description: 'The id of a document.' } as const;
const tags = { type: 'string', description: 'As `If-Match`: the ETag of the document as it was read.', examples: ['"…"'] } as const;
const formsOfPatch = {
  merge: { type: 'object', description: 'A merge patch (RFC 7396), as a `PATCH` of one document takes it.' },
  patch: schemaRef('JsonPatch'),
  changes: schemaRef('Changes'),
} as const;

/** One schema for each way to say what changes. */
function ofEachForm(members: JsonObject, required: readonly string[]): JsonObject {
  return {
    oneOf: Object.entries(formsOfPatch).map(([form, schema]) => ({
      type: 'object', required: [...required, form], properties: { ...members, [form]: schema }, additionalProperties: false,
    })),
  };
}

const status = { type: 'integer', description: 'What a request of its own would have been answered.' } as const;
const refusal = { type: 'object', description: 'Why it was refused, as a problem document (RFC 9457) of a request of its own.' } as const;

export const togetherSchemas: JsonObject = {
  ChangedItems: { type: 'array', minItems: 1, maxItems: limits.writesTogetherMax, items: ofEachForm({ id: name, ifMatch: tags }, ['id']) },
  ChangedItemLines: { type: 'string', description: 'An element of `ChangedItems` on each line.' },
  Results: {
    type: 'object',
    required: ['results', 'done', 'refused'],
    properties: {
      results: {
        type: 'array', description: 'In the order of the request.',
        items: {
          type: 'object', required: ['id', 'status'], properties: { id: name, status, etag: { type: 'string' }, problem: refusal },
        },
      },
      done: { type: 'integer', minimum: 0 },
      refused: { type: 'integer', minimum: 0 },
      dryRun: { const: true, description: 'Nothing was changed.' },
      more: { type: 'boolean', description: 'Of a filter: whether it finds more documents than these.' },
    },
    additionalProperties: false,
  },
};

export function resultsAnswer(): readonly DescribedAnswer[] {
  return [{
    status: 200, description: 'What became of each document.', headers: ['Tombolo-Position'], mediaType: json, schema: schemaRef('Results'),
  }];
}

export const atomicParameter: QueryParameter = {
  name: 'atomic', schema: { type: 'boolean', default: false }, description: 'All or nothing: the first that is refused is the answer.',
};

/** Of a list's parameters those that say which documents are found. */
export function removedParametersOf(resource: Resource, input?: Translation): readonly QueryParameter[] {
  const controls = ['after', 'count', 'fields', 'limit', 'id', 'id[in]'];
  const filters = listParametersOf(resource, input).filter(({ name: each }) => !controls.includes(each));
  return [
    {
      name: 'id[in]', several: true, example: exampleIdOf(resource),
      description: 'The documents to remove. Without it they are the first that the filters find, in the order of their shape.',
      schema: { type: 'array', items: { type: 'string' }, minItems: 1, maxItems: limits.writesTogetherMax },
    },
    ...filters.map(({ example: _example, ...filter }) => filter),
    {
      name: 'limit', description: 'How many documents a filter removes at most.',
      schema: { type: 'integer', minimum: 1, maximum: limits.pageDocumentsMax, default: limits.pageDocumentsDefault },
    },
    atomicParameter,
    {
      name: 'dryRun', schema: { type: 'boolean', default: false }, example: true,
      description: 'Says what would become of each, and changes nothing.',
    },
  ];
}

/** In a form that every version has. */
export function changedItemsExampleOf(resource: Resource): Readonly<Record<string, Json | undefined>> {
  const changes = changesExampleOf(resource);
  if (changes === undefined) return {};
  const item = { id: exampleIdOf(resource), changes };
  return { [json]: [item], 'application/x-ndjson': `${JSON.stringify(item)}\n` };
}
