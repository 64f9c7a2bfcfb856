/**
 * The description of the API: OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.0), from the contract, the plans and the rows of
 * the modules alone. Whatever is declared appears in it without a line here.
 */
import type { Contract } from '../contract/contract.ts';
import { bodiesOf } from '../contract/documents.ts';
import type { Resource } from '../contract/resource.ts';
import type { Plan, Plans } from '../limits/plans.ts';
import { isOwnPlace, type Operation } from '../operations/operation.ts';
import { currentVersion, operationsOf } from '../operations/route.ts';
import type { JsonObject } from '../wire/values.ts';
import { sharedSchemas } from './answers.ts';
import { toJsonSchema } from './json-schema.ts';
import { boundsInWords, headerComponents, headerParameterComponents, headerRefs, headersOfAll, headersOfStates } from './headers.ts';
import { pathOf, toOperation } from './operations.ts';
import { problemResponses, problemSchemas } from './problems.ts';
import { schemasOf } from './resource-schemas.ts';
import { ruleInWords } from './rule-words.ts';

export interface Describing {
  readonly contract: Contract;
  readonly plans: Plans;
  /** Path items that are no resource's. */
  readonly paths: JsonObject;
}

export function toDescription({ contract, plans, paths }: Describing): JsonObject {
  const resources = [...contract.resources.values()];
  return {
    openapi: '3.1.0',
    info: { title: 'Tombolo', version: currentVersion, description: introduction(plans) },
    servers: [{ url: '/' }],
    tags: resources.map((resource) => ({ name: resource.name, description: resourceInWords(resource) })),
    paths: { ...Object.assign({}, ...resources.map(pathsOf)), ...paths },
    components: {
      schemas: {
        ...sharedSchemas,
        ...problemSchemas,
        ...Object.assign({}, ...resources.map((resource) => schemasOf(resource, operationsOf(resource)))),
      },
      parameters: headerParameterComponents,
      headers: headerComponents,
      responses: {
        ...problemResponses,
        unchanged: { description: 'The tag that was sent still holds.', headers: headerRefs([...headersOfAll, ...headersOfStates]) },
      },
      securitySchemes: {
        bearer: {
          type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'A token of the issuer that this API trusts (RFC 6750).',
        },
        ticket: {
          type: 'apiKey', in: 'query', name: 'ticket',
          description: `For pages, whose EventSource sends no header: good for one feed, from \`POST /${currentVersion}/live/tickets\`.`,
        },
      },
    },
  };
}

function introduction({ anonymous, signedIn }: Plans): string {
  return [
    boundsInWords,
    `Callers without a token may ask ${planInWords(anonymous)}, by address; signed-in ones ${planInWords(signedIn)}, where their token ` +
      'names no other plan. Past that it is 429 with `Retry-After`.',
    'A refusal is a problem document (RFC 9457) whose `code` names the reason. Answers of reads carry an `ETag`; `If-None-Match` with it ' +
      'is answered 304. Whoever sends `Tombolo-Position` back sees their own writes.',
  ].join('\n\n');
}

function planInWords({ windows }: Plan): string {
  return windows.map(({ limit, seconds }) => `${limit} units in ${seconds} s`).join(' and ');
}

function resourceInWords({ rules, cache, preconditions, live }: Resource): string {
  return [
    `Read by: ${ruleInWords(rules.read)}. Created by: ${ruleInWords(rules.create)}. Updated by: ${ruleInWords(rules.update)}. ` +
      `Removed by: ${ruleInWords(rules.remove)}.`,
    cache === 'none' ? 'Answers are not cached.' : 'Answers are cached at the edge until the database changes.',
    ...(preconditions === 'required' ? ['Changes need `If-Match`.'] : []),
    ...(live ? ['Changes can be followed live.'] : []),
  ].join(' ');
}

function pathsOf(resource: Resource): JsonObject {
  const rows = Map.groupBy(operationsOf(resource), (row) => pathOf(resource, row));
  return Object.fromEntries([...rows].map(([path, here]) => [path, toPathItem(resource, path, here)]));
}

function toPathItem(resource: Resource, path: string, rows: readonly Operation[]): JsonObject {
  const isOfDocument = rows.every(({ at }) => !isOwnPlace(at)) && path.includes('{id}');
  const id = { name: 'id', in: 'path', required: true, schema: toJsonSchema(bodiesOf(resource).id, 'input', '#') };
  return {
    ...(isOfDocument ? { parameters: [id] } : {}),
    ...Object.fromEntries(rows.map((row) => [row.method.toLowerCase(), toOperation(resource, row)])),
  };
}
