/** The operations that every resource has. */
import { type AggregateQuery, formatAggregateQuery, parseAggregateQuery } from '../aggregates/aggregate-query.ts';
import { dependenciesOfDocument, dependenciesOfList } from '../contract/dependencies.ts';
import { jsonPatchBody, jsonPatchType } from '../changes/json-patch.ts';
import { changesBody, changesType } from '../changes/operators.ts';
import { bodiesOf } from '../contract/documents.ts';
import { withExpanded } from './expanded-state.ts';
import { parseExportQuery } from './export-query.ts';
import { feed } from './feed.ts';
import { parseImportQuery } from './import-query.ts';
import { parseUpsertQuery } from './upsert-query.ts';
import { limits } from '../wire/limits.ts';
import { mustBeWithoutParameters } from '../wire/parameters.ts';
import {
  type DocumentQuery, formatQuery, type ListQuery, parseDocumentQuery, parseListQuery,
} from '../contract/query.ts';
import { operations, type StateRead } from './operation.ts';

const json = 'application/json';
const mergePatch = 'application/merge-patch+json';
const lines = 'application/x-ndjson';
const csv = 'text/csv';

const short = { bodyBytesMax: limits.bodyBytesMax, msMax: limits.requestMsMax, cost: 1 } as const;
const read = {
  ...short, method: 'GET', answers: 'state', right: 'read', body: 'none', takes: [], gives: [json],
  carries: ['if-match', 'if-none-match'], conditions: 'read',
} as const;
const write = {
  ...short, answers: 'effect', body: 'buffered', takes: [json], gives: [json], conditions: 'change',
  carries: ['idempotency-key', 'if-match', 'if-none-match'],
} as const;
const parseNone = (_resource: unknown, query: string): void => mustBeWithoutParameters(query);

export const documents = operations({
  list: {
    ...read, at: '/', gives: [json, csv], isNegotiated: true,
    parse: parseListQuery,
    cached: ({ resource, input }: StateRead<ListQuery>) => ({
      name: `list ${formatQuery(input)}`,
      dependencies: dependenciesOfList(resource, input),
      keepsAbsence: false,
      ...(input.limit > limits.listDocumentsPerCost ? { times: Math.ceil(input.limit / limits.listDocumentsPerCost) } : {}),
      ...(input.expand === undefined ? {} : withExpanded(`list ${formatQuery(input)}`, resource, input.expand)),
    }),
    holds: { answer: 'page' },
  },
  get: {
    ...read, at: '/:id',
    parse: (resource, query) => (query === '' ? undefined : parseDocumentQuery(resource, query)),
    cached: ({ resource, id, input }: StateRead<DocumentQuery | undefined>) => ({
      name: `get ${JSON.stringify([id, input?.fields ?? null])}`, dependencies: dependenciesOfDocument(resource, id), keepsAbsence: true,
      ...(input?.expand === undefined ? {} : withExpanded(`get ${JSON.stringify([id, input.fields ?? null])}`, resource, input.expand)),
    }),
    holds: { answer: 'document' },
  },
  create: {
    ...write, method: 'POST', at: '/', right: 'create', conditions: 'none',
    parse: parseNone, schema: (resource) => bodiesOf(resource).create,
    holds: { body: 'document', answer: 'document' },
  },
  replace: {
    ...write, method: 'PUT', at: '/:id', right: 'update', conditions: 'change-or-create',
    carries: [...write.carries, 'tombolo-keeps'], parse: parseNone, schema: (resource) => bodiesOf(resource).replace,
    holds: { body: 'document', answer: 'document' },
  },
  upsert: {
    ...write, method: 'PUT', at: '/', right: 'update', conditions: 'change-or-create',
    carries: [...write.carries, 'tombolo-keeps'],
    offered: ({ unique }) => unique.length > 0,
    parse: parseUpsertQuery, schema: (resource) => bodiesOf(resource).replace,
    holds: { body: 'document', answer: 'document' },
  },
  patch: {
    ...write, method: 'PATCH', at: '/:id', right: 'update', takes: [mergePatch, jsonPatchType, changesType],
    carries: [...write.carries, 'tombolo-keeps'], parse: parseNone,
    schema: (resource, mediaType) =>
      mediaType === jsonPatchType ? jsonPatchBody : mediaType === changesType ? changesBody : bodiesOf(resource).patch,
    holds: { body: 'patch', answer: 'document' },
  },
  remove: {
    ...write, method: 'DELETE', at: '/:id', right: 'remove', body: 'none', takes: [],
    parse: parseNone,
  },
  aggregate: {
    ...read, at: '/aggregate',
    offered: ({ aggregates }) => aggregates.length > 0,
    parse: parseAggregateQuery,
    cached: ({ resource, input }: StateRead<AggregateQuery>) => ({
      name: `aggregate ${formatAggregateQuery(input)}`,
      dependencies: dependenciesOfList(resource, { shape: input.aggregate.shape, equal: input.equal }),
      keepsAbsence: false,
    }),
  },
  import: {
    method: 'POST', at: '/import', answers: 'effect', right: 'create',
    body: 'streamed', bodyBytesMax: limits.importBytesMax, takes: [lines, csv], gives: [lines, json],
    // An Idempotency-Key is carried so that the origin can refuse it.
    carries: ['idempotency-key', 'prefer', 'tombolo-keeps'], conditions: 'none',
    msMax: limits.importMsMax, cost: 1,
    parse: (_resource, query) => ({ onDuplicate: parseImportQuery(query) }),
    holds: { body: 'rows', answer: 'report' },
  },
  export: {
    ...short, method: 'GET', at: '/export', answers: 'moment', right: 'read',
    body: 'none', takes: [], gives: [lines, csv, json], isNegotiated: true, carries: ['prefer'], conditions: 'read',
    msMax: limits.exportMsMax, cost: 1,
    parse: parseExportQuery,
    holds: { answer: 'rows' },
  },
  changes: {
    ...feed, at: '/changes', right: 'read',
    offered: ({ live }) => live,
    holds: { answer: 'events' },
  },
});
