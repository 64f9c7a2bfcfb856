/** The operations of a resource, each as its row says. */
import { everyResource } from '../contract/every-resource.ts';
import { mentionsOf, reduce } from '../contract/rules.ts';
import type { Resource } from '../contract/resource.ts';
import { costOf } from '../limits/cost.ts';
import { isFeed, isOfDocument, isOfOne, isOwnPlace, isSafe, type Operation } from '../operations/operation.ts';
import type { Translation } from '../versions/translation.ts';
import type { Version } from '../versions/versions.ts';
import { limits } from '../wire/limits.ts';
import { anonymous } from '../wire/principal.ts';
import type { JsonObject } from '../wire/values.ts';
import { acceptedAnswer } from './deferred.ts';
import { type DescribedAnswer, type QueryParameter, schemaName, schemaRef } from './described.ts';
import { type AnswerHeader, headerParametersOf, headerRefs, headersOfAll, headersOfStates, versionParameters } from './headers.ts';
import { bodyExampleOf } from './resource-schemas.ts';
import { describedOf } from './rows.ts';
import { ruleInWords } from './rule-words.ts';
import { summaryOf } from './summaries.ts';

export function pathOf({ name }: Resource, { at }: Operation, version: Version): string {
  if (isOwnPlace(at)) return `/${version.name}${at.path.replace('/:id', '/{id}')}`;
  if (isOfOne(at)) return `/${version.name}/${at.of}${at.at.replace(/^\/:id/, '/{id}')}`;
  return `/${version.name}/${name}${at === '/' ? '' : at.replace(/^\/:id/, '/{id}')}`;
}

/** `input`: how an older version asks, where it differs. */
export function toOperation(resource: Resource, row: Operation, input?: Translation): JsonObject {
  const { words = '', extensions = {} } = describedOf(row).more?.(resource, input) ?? {};
  return {
    operationId: resource.name === everyResource ? row.name : `${tagOf(resource)}.${row.name}`,
    tags: [resource.name === everyResource ? row.name : tagOf(resource)],
    summary: summaryOf(row),
    description: [termsInWords(resource, row, input), words].filter((part) => part !== '').join('\n\n'),
    parameters: [
      ...(describedOf(row).parameters?.(resource, input) ?? []).map(toQueryParameter), ...headerParametersOf(resource, row),
      ...versionParameters,
    ],
    ...(row.body === 'none' ? {} : { requestBody: { required: true, content: toContent(resource, row, input) } }),
    responses: toResponses(resource, row),
    security: securityOf(resource, row),
    ...extensions,
  };
}

function termsInWords(resource: Resource, row: Operation, input: Translation | undefined): string {
  const { right, msMax, body, bodyBytesMax, conditions } = row;
  const cost = costOf(resource, row);
  return [
    `For ${ruleInWords(typeof right === 'string' ? resource.rules[right] : right, input)}.`,
    ...(isSafe(row) && hides(resource) ? ['What a caller may not see is answered as what is not there.'] : []),
    `Costs ${cost} ${cost === 1 ? 'unit' : 'units'} of the caller's plan${perOf(row)}.`,
    ...(msMax === limits.requestMsMax ? [] : [`Takes at most ${msMax / 1_000} s.`]),
    ...(body === 'none' || bodyBytesMax === limits.bodyBytesMax ? [] : [`A body has at most ${bodyBytesMax} bytes.`]),
    ...(conditions.startsWith('change') && resource.preconditions === 'required' ? ['Needs `If-Match` (428).'] : []),
  ].join(' ');
}

function perOf({ name, counts }: Operation): string {
  if (name === 'list') return ` for each ${limits.listDocumentsPerCost} documents asked for`;
  return counts === undefined ? '' : ' for each document';
}

function hides({ rules }: Resource): boolean {
  return mentionsOf([rules.read]).fields.size > 0;
}

function toQueryParameter({ name, description, schema, isRequired = false, several = false, example }: QueryParameter): JsonObject {
  return {
    name, in: 'query', description, schema,
    ...(isRequired ? { required: true } : {}),
    ...(several ? { style: 'form', explode: false } : {}),
    ...(example === undefined ? {} : { example }),
  };
}

function toContent(resource: Resource, row: Operation, input: Translation | undefined): JsonObject {
  const { takes, schema, name, holds } = row;
  const described = describedOf(row);
  const body = schema?.(resource);
  const rows = described.bodies?.(resource, input) ?? {};
  return Object.fromEntries(takes.map((type) => {
    const component = described.components?.[type];
    const isOfSchema = body !== undefined && component === undefined;
    const ofSchema = isOfSchema ? bodyExampleOf(body, input, holds?.body === 'patch' ? 'patch' : 'document') : undefined;
    const example = rows[type] ?? ofSchema;
    const shown = body === undefined ? { type: 'string' } : schemaRef(component ?? schemaName(resource, name));
    return [type, { schema: shown, ...(example === undefined ? {} : { example }) }];
  }));
}

function toResponses(resource: Resource, row: Operation): JsonObject {
  const { answers, conditions, gives } = row;
  const unsaid: DescribedAnswer = {
    status: 200, description: 'The answer.', headers: answers === 'state' ? headersOfStates : [], mediaType: gives[0], schema: {},
  };
  const said = [...(describedOf(row).answers?.(resource) ?? [unsaid]), ...(row.carries.includes('prefer') ? [acceptedAnswer] : [])];
  return {
    ...Object.fromEntries(said.map((answer) => [String(answer.status), toAnswer(answer)])),
    ...(answers === 'state' && conditions === 'read' ? { 304: { $ref: '#/components/responses/unchanged' } } : {}),
    ...Object.fromEntries(refusalsOf(row).map((status) => [String(status), { $ref: `#/components/responses/status${status}` }])),
    default: { $ref: '#/components/responses/refusal' },
  };
}

function toAnswer({ description, headers, mediaType, schema, forms = {} }: DescribedAnswer): JsonObject {
  const named: readonly AnswerHeader[] = [...headersOfAll, ...headers];
  const others = Object.fromEntries(Object.entries(forms).map(([type, each]) => [type, { schema: each }]));
  return {
    description, headers: headerRefs(named),
    ...(mediaType === undefined ? {} : { content: { [mediaType]: { schema: schema ?? {} }, ...others } }),
  };
}

/** Statuses that tell a caller of this operation something; any other refusal is a problem document as well. */
function refusalsOf(row: Operation): readonly number[] {
  const { body, answers, conditions } = row;
  return [
    400, 401, 403,
    ...(isOfDocument(row) ? [404] : []),
    406,
    ...(answers === 'effect' ? [409] : []),
    ...(conditions === 'none' ? [] : [412]),
    ...(body === 'none' ? [] : [413, 415, 422]),
    429, 503, 504,
  ];
}

/** Whoever could be let in unsigned need not sign in. */
function securityOf({ rules }: Resource, row: Operation): readonly JsonObject[] {
  const { right } = row;
  const isOpen = reduce(typeof right === 'string' ? rules[right] : right, anonymous) !== false;
  return [...(isOpen ? [{}] : []), { bearer: [] }, ...(isFeed(row) ? [{ ticket: [] }] : [])];
}

/** Internal resources go by the word that a path of theirs begins with. */
function tagOf({ name }: Resource): string {
  return name.replace(/^tombolo_/, '');
}
