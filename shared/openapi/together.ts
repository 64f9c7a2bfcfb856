/** What the description says of writes of several documents: their bodies, parameters and results. */
import { bodiesOf } from '../contract/documents.ts';
import { resourcesOf } from '../contract/every-resource.ts';
import type { Resource } from '../contract/resource.ts';
import { controlsOfPages } from '../operations/bulk-query.ts';
import type { Translation } from '../versions/translation.ts';
import { limits } from '../wire/limits.ts';
import type { Json, JsonObject } from '../wire/values.ts';
import { type DescribedAnswer, type QueryParameter, schemaRef } from './described.ts';
import { exampleIdOf } from './example-ids.ts';
import { listParametersOf } from './list-parameters.ts';
import { bodyExampleOf, changesExampleOf } from './resource-schemas.ts';

const json = 'application/json';

export const changedItemsComponents = { [json]: 'ChangedItems', 'application/x-ndjson': 'ChangedItemLines' } as const;

const name = { type: ['string', 'integer'], description: 'The id of a document.' } as const;
/** As `isNameable` has it. */
const named = {
  type: 'string', description: 'The id of a document; of whole numbers, the number too.', maxLength: limits.idCharactersMax,
  pattern: '^(?!\\.{1,2}$)[^\\u0000-\\u001f\\u007f/\\\\]+$',
} as const;
const tags = { type: 'string', description: 'As `If-Match`: the ETag of the document as it was read.', examples: ['"…"'] } as const;
const formsOfPatch = {
  merge: { type: 'object', description: 'A merge patch (RFC 7396), as a `PATCH` of one document takes it.' },
  patch: schemaRef('JsonPatch'),
  changes: schemaRef('Changes'),
} as const;

/** One schema for each way to say what changes. */
function ofEachForm(members: JsonObject, required: readonly string[]): readonly JsonObject[] {
  return Object.entries(formsOfPatch).map(([form, schema]) => ({
    type: 'object', required: [...required, form], properties: { ...members, [form]: schema }, additionalProperties: false,
  }));
}

const status = { type: 'integer', description: 'What a request of its own would have been answered.' } as const;
const refusal = { type: 'object', description: 'Why it was refused, as a problem document (RFC 9457) of a request of its own.' } as const;

export const stepsComponents = { [json]: 'Transaction' } as const;

const given = { type: 'string', pattern: '^[A-Za-z][A-Za-z0-9_-]{0,63}$' } as const;
const made = { type: 'object', required: ['ref'], properties: { ref: given }, additionalProperties: false } as const;
const refs = {
  type: 'object', additionalProperties: given,
  description: 'By JSON Pointer into the body beside: the `as` of an operation before, whose id is put there.',
} as const;
const by = {
  type: 'array', items: { type: 'string' }, minItems: 1,
  description: 'The fields of a unique key: the document that has those of the body is replaced, or one is created.',
} as const;
const whole = { type: 'object', description: 'A document, as a request of its own would have it.' } as const;
const conditions = { ifMatch: tags, ifNoneMatch: { type: 'string', description: 'As `If-None-Match`.' } } as const;

function closed(op: string, members: JsonObject, required: readonly string[]): JsonObject {
  return { type: 'object', required: ['op', ...required], properties: { op: { const: op }, ...members }, additionalProperties: false };
}

/** `resources`: the names of those that are served. */
export function togetherSchemas(resources: readonly string[]): JsonObject {
  return { Transaction: toTransaction({ resource: { enum: [...resources] }, id: { anyOf: [named, made] } }), ...schemas };
}

function toTransaction(one: { readonly resource: JsonObject; readonly id: JsonObject }): JsonObject {
  const operations = [
    closed('create', { resource: one.resource, as: given, body: whole, refs }, ['resource', 'body']),
    closed('replace', { ...one, body: whole, refs, ...conditions }, ['resource', 'id', 'body']),
    closed('upsert', { resource: one.resource, by, as: given, body: whole, refs, ...conditions }, ['resource', 'by', 'body']),
    ...ofEachForm({ op: { const: 'patch' }, ...one, refs, ...conditions }, ['op', 'resource', 'id']),
    closed('remove', { ...one, ...conditions }, ['resource', 'id']),
  ];
  return {
    type: 'object',
    required: ['operations'],
    properties: { operations: { type: 'array', minItems: 1, maxItems: limits.writesTogetherMax, items: { oneOf: operations } } },
    additionalProperties: false,
  };
}

const schemas: JsonObject = {
  ChangedItems: {
    oneOf: [
      {
        type: 'array', minItems: 1, maxItems: limits.writesTogetherMax, items: { oneOf: ofEachForm({ id: named, ifMatch: tags }, ['id']) },
        description: 'Without a filter: which document is changed, and how.',
      },
      ...ofEachForm({}, []).map((form) => ({ ...form, description: 'With a filter: how each document that it finds is changed.' })),
    ],
  },
  ChangedItemLines: { type: 'string', description: 'An element of the list of `ChangedItems` on each line.' },
  Results: {
    type: 'object',
    required: ['results', 'done', 'refused'],
    properties: {
      results: {
        type: 'array', description: 'In the order of the request.',
        items: {
          type: 'object', required: ['id', 'status'],
          properties: { resource: { type: 'string' }, id: name, status, etag: { type: 'string' }, problem: refusal },
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

const atomicParameter: QueryParameter = {
  name: 'atomic', schema: { type: 'boolean', default: false }, description: 'All or nothing: the first that is refused is the answer.',
};

export function removedParametersOf(resource: Resource, input?: Translation): readonly QueryParameter[] {
  return [
    {
      name: 'id[in]', several: true, example: exampleIdOf(resource),
      description: 'The documents to remove. Without it they are the first that the filters find, in the order of their shape.',
      schema: { type: 'array', items: { type: 'string' }, minItems: 1, maxItems: limits.writesTogetherMax },
    },
    ...foundParametersOf(resource, input),
  ];
}

/** Of a list's parameters those that say which documents are found, and how they are written together. */
export function foundParametersOf(resource: Resource, input?: Translation): readonly QueryParameter[] {
  const others = [...controlsOfPages, 'limit', 'id', 'id[in]'];
  const filters = listParametersOf(resource, input).filter(({ name: each }) => !others.includes(each));
  return [
    ...filters.map(({ example: _example, ...filter }) => filter),
    {
      name: 'limit', description: 'How many documents that a filter finds are written at most.',
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

export function stepsWords(): { readonly words: string; readonly extensions: JsonObject } {
  return {
    words:
      'Each operation is by the rules of its resource, and costs what a request of its own does. The first that is refused is the ' +
      'answer, which points to it, and nothing is written. What has another form in an older version is asked in the current one.',
    extensions: {},
  };
}

/** Documents that anybody who may create one could create, the second of which refers to the first. */
export function stepsExampleOf(every: Resource): Readonly<Record<string, Json | undefined>> {
  const bodies = [...resourcesOf(every).values()].filter(({ versions }) => Object.keys(versions).length === 0).flatMap((resource) => {
    const body = bodyExampleOf(bodiesOf(resource).create);
    return body === undefined ? [] : [{ op: 'create', resource: resource.name, body }];
  });
  const [first] = bodies;
  return first === undefined ? {} : { [json]: { operations: [{ ...first, as: 'made' }] } };
}
