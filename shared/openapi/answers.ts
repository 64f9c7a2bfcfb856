/** What the operations of documents answer, and what an import and a feed send, by their rows. */
import { changesBody } from '../changes/operators.ts';
import { jsonPatchBody } from '../changes/json-patch.ts';
import { shownOf } from '../contract/documents.ts';
import { isNamedByCallers } from '../contract/id-declarations.ts';
import type { Resource } from '../contract/resource.ts';
import { toCsvCell } from '../wire/csv-cell.ts';
import { limits } from '../wire/limits.ts';
import type { JsonObject } from '../wire/values.ts';
import { type DescribedAnswer, type QueryParameter, schemaName, schemaRef } from './described.ts';
import { headersOfStates } from './headers.ts';
import { toJsonSchema } from './json-schema.ts';
import { shownPartOf } from './related.ts';

const json = 'application/json';
const written = ['ETag', 'Tombolo-Position'] as const;

const csvRows: JsonObject = {
  type: 'string', description: 'A header and a row for each document, with JSON text for what holds more than one value (RFC 4180).',
};

/** `fields` may leave out whatever is not the id. */
const partOf = (resource: Resource) => schemaRef(shownPartOf(resource));
const wholeOf = (resource: Resource) => schemaRef(schemaName(resource, undefined));

export function oneAnswer(resource: Resource): readonly DescribedAnswer[] {
  return [{ status: 200, description: 'The document.', headers: headersOfStates, mediaType: json, schema: partOf(resource) }];
}

/** With `distinct`. */
const distinctValue = { type: ['string', 'number', 'boolean'] } as const;

export function pageAnswer(resource: Resource): readonly DescribedAnswer[] {
  return [{
    status: 200, description: 'A page.', headers: [...headersOfStates, 'Link'], mediaType: json,
    schema: {
      type: 'object', required: ['data', 'page'],
      properties: {
        data: { type: 'array', items: { anyOf: [partOf(resource), distinctValue] }, maxItems: limits.pageDocumentsMax },
        page: schemaRef('Page'),
      },
    },
    forms: { 'text/csv': csvRows },
  }];
}

export function writtenAnswer(resource: Resource): readonly DescribedAnswer[] {
  return [{ status: 200, description: 'The document as it is now.', headers: written, mediaType: json, schema: wholeOf(resource) }];
}

export function createdAnswer(resource: Resource): readonly DescribedAnswer[] {
  return [{
    status: 201, description: 'The document was created.', headers: [...written, 'Location'], mediaType: json, schema: wholeOf(resource),
  }];
}

/** Where callers name documents, a replacement of what is not there creates it. */
export function replacedAnswer(resource: Resource): readonly DescribedAnswer[] {
  return [...writtenAnswer(resource), ...(isNamedByCallers(resource) ? createdAnswer(resource) : [])];
}

/** A replacement of what has no such key creates it. */
export function upsertedAnswer(resource: Resource): readonly DescribedAnswer[] {
  return [...writtenAnswer(resource), ...createdAnswer(resource)];
}

export function removedAnswer(): readonly DescribedAnswer[] {
  return [{ status: 204, description: 'The document is gone.', headers: ['Tombolo-Position'] }];
}

export function reportAnswer(): readonly DescribedAnswer[] {
  return [{
    status: 200, headers: ['Tombolo-Position'], mediaType: 'application/x-ndjson',
    description:
      `A line for each rejected row, ${limits.importRejectedListedMax} at most (\`ImportRejected\`), and a last one that sums up ` +
      '(`ImportSummary`).',
    schema: { type: 'string' },
  }];
}

export function exportAnswer(resource: Resource): readonly DescribedAnswer[] {
  const name = schemaName(resource, 'part');
  return [{
    status: 200, headers: [], mediaType: 'application/x-ndjson',
    description:
      `A document a line (\`${name}\`), and lines of \`$export\` (\`ExportMark\`) that say how far it is and, last, how it ended. ` +
      'As `text/csv` a column for each member, with JSON text for what holds more than one value, and an empty line at the end; as ' +
      '`application/json` one array. Without its end, it was broken off.',
    schema: { type: 'string' },
    forms: { 'text/csv': csvRows, 'application/json': { type: 'array', items: partOf(resource) } },
  }];
}

export function feedAnswer(resource: Resource): readonly DescribedAnswer[] {
  return eventsAnswer(`a document (\`${schemaName(resource, undefined)}\`)`);
}

export const feedAfter: QueryParameter = {
  name: 'after', schema: { type: 'string' }, description: 'A position, for clients that cannot send `Last-Event-ID`.',
};

/** `carried`: what an event carries that has a document. */
export function eventsAnswer(carried: string): readonly DescribedAnswer[] {
  return [{
    status: 200, headers: [], mediaType: 'text/event-stream',
    description:
      `Server-sent events. \`created\`, \`updated\` and \`entered\` (has become visible) carry ${carried}, ` +
      '`left` (is no longer visible) and `deleted` its id alone; `resync`: changes were missed, read again; `reconnect`: the stream ' +
      'ends, come back with the last id. `id:` is a position, also on heartbeats.',
    schema: { type: 'string' },
  }];
}

const count = { type: 'integer', minimum: 0 } as const;

/** Schemas that resources share. */
export const sharedSchemas: JsonObject = {
  Changes: toJsonSchema(shownOf(changesBody), 'input', '#/components/schemas/Changes'),
  JsonPatch: toJsonSchema(shownOf(jsonPatchBody), 'input', '#/components/schemas/JsonPatch'),
  Page: {
    type: 'object',
    required: ['limit', 'next', 'prev'],
    properties: {
      limit: { type: 'integer', minimum: 1, maximum: limits.pageDocumentsMax },
      next: { type: ['string', 'null'], description: 'Given as `after`, asks for the next page; null on the last.' },
      prev: { type: ['string', 'null'], description: 'Likewise for the page before; null on the first.' },
      total: { ...count, description: 'With `count`.' },
      totalIsMinimum: { const: true, description: 'There are more, or may be: counting ended at its bound.' },
      totalIsEstimate: { const: true, description: 'With `count=estimated`.' },
    },
    additionalProperties: false,
  },
  ExportMark: {
    type: 'object',
    required: ['$export'],
    properties: {
      $export: {
        type: 'object',
        required: ['rows', 'next'],
        properties: {
          rows: { ...count, description: 'Documents of this answer so far.' },
          next: { type: ['string', 'null'], description: 'Given as `after`, goes on from here; null at the end.' },
          complete: { type: 'boolean', description: 'On the last line; false: it was broken off, and `stopped` says why.' },
          position: { type: 'string', description: 'Where the exported state stands: a change feed goes on from there.' },
          stopped: { type: 'object', required: ['code'], properties: { code: { type: 'string' }, detail: { type: 'string' } } },
        },
      },
    },
  },
  ImportRejected: {
    type: 'object',
    required: ['row', 'code', 'errors'],
    properties: {
      row: count, code: { type: 'string' }, detail: { type: 'string' }, errors: { type: 'array', items: schemaRef('FieldError') },
    },
  },
  ImportSummary: {
    type: 'object',
    required: ['summary'],
    properties: {
      summary: {
        type: 'object',
        required: ['imported', 'replaced', 'skipped', 'rejected', 'lastCommittedRow', 'complete'],
        properties: {
          imported: count, replaced: count, skipped: count, rejected: count, lastCommittedRow: count,
          complete: { type: 'boolean', description: 'False: the upload broke off; `stopped` says why.' },
          position: { type: 'string', description: 'The `Tombolo-Position` of the last commit.' },
          stopped: { type: 'object', required: ['code'], properties: { code: { type: 'string' }, detail: { type: 'string' } } },
        },
      },
    },
  },
};

/** Rows as a caller could send them, where an example of a document is known. */
export function rowsOf(example: JsonObject | undefined): Readonly<Record<string, string>> {
  if (example === undefined) return {};
  const scalars = Object.entries(example).filter(([, value]) => typeof value !== 'object' || value === null);
  return {
    'application/x-ndjson': `${JSON.stringify(example)}\n`,
    'text/csv': `${scalars.map(([name]) => name).join()}\n${scalars.map(([, value]) => toCsvCell(value)).join()}\n`,
  };
}
