/**
 * The description of the API: OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.0), from the contract, the plans and the rows of
 * the modules alone. Whatever is declared appears in it without a line here.
 */
import type { Contract } from '../contract/contract.ts';
import { bodiesOf } from '../contract/documents.ts';
import { everyResourceOf } from '../contract/every-resource.ts';
import type { Resource } from '../contract/resource.ts';
import type { Plan, Plans } from '../limits/plans.ts';
import { modules } from '../modules.ts';
import { isOfDocument, isOwnPlace, type Operation } from '../operations/operation.ts';
import { isForEdgeAlone, operationsOf } from '../operations/route.ts';
import type { Version, Versions } from '../versions/versions.ts';
import type { JsonObject } from '../wire/values.ts';
import { keySchemas } from './api-keys.ts';
import { deferredSchemas } from './deferred.ts';
import { sharedSchemas } from './answers.ts';
import { incomingSchemas } from './incoming.ts';
import { jobSchemas } from './jobs.ts';
import { toJsonSchema } from './json-schema.ts';
import {
  boundsInWords, headerComponents, headerParameterComponents, headerRefs, headersOfAll, headersOfStates, versionParameterComponents,
} from './headers.ts';
import { toOlder } from './older.ts';
import { pathOf, toOperation } from './operations.ts';
import type { PeoplePart } from './people.ts';
import { problemResponses, problemSchemas } from './problems.ts';
import { schemasOf } from './resource-schemas.ts';
import { describedOf } from './rows.ts';
import { ruleInWords } from './rule-words.ts';
import { togetherSchemas } from './together.ts';
import { sentToReceivers, webhookSchemas } from './webhooks.ts';
import { workflowSchemas } from './workflows.ts';

export interface Describing {
  readonly contract: Contract;
  readonly plans: Plans;
  /** Path items that are no resource's. */
  readonly paths: JsonObject;
  /** Absent where people are off. */
  readonly people?: PeoplePart | undefined;
}

/** Of one version: the description of each says how the API is asked in it. */
export function toDescription(describing: Describing, version: Version): JsonObject {
  const { contract } = describing;
  const current = toCurrentDescription(describing);
  return version === contract.versions.current ? current : toOlder(current, contract, version);
}

function toCurrentDescription({ contract, plans, paths, people }: Describing): JsonObject {
  const { versions } = contract;
  const resources = [...contract.resources.values()];
  return {
    openapi: '3.1.0',
    info: { title: 'Tombolo', version: versions.current.name, description: introduction(plans, versions) },
    servers: [{ url: '/' }],
    tags: [
      ...resources.map((resource) => ({ name: resource.name, description: resourceInWords(resource) })), ...(people?.tags ?? []),
    ],
    paths: {
      ...Object.assign({}, ...[...resources, everyResourceOf(contract), ...internals].map((each) => pathsOf(each, versions.current))),
      ...paths,
      ...people?.paths,
    },
    webhooks: sentToReceivers(resources),
    components: {
      schemas: {
        ...sharedSchemas,
        ...togetherSchemas(resources.map(({ name }) => name)),
        ...keySchemas(),
        ...jobSchemas(),
        ...incomingSchemas(),
        ...deferredSchemas,
        ...webhookSchemas(),
        ...workflowSchemas(),
        ...problemSchemas,
        ...people?.schemas,
        ...Object.assign({}, ...resources.map((resource) => schemasOf(resource, operationsOf(resource).filter(hasOwnBody)))),
      },
      parameters: { ...headerParameterComponents, ...versionParameterComponents(versions.current) },
      headers: headerComponents,
      responses: {
        ...problemResponses,
        ...people?.responses,
        unchanged: { description: 'The tag that was sent still holds.', headers: headerRefs([...headersOfAll, ...headersOfStates]) },
      },
      securitySchemes: {
        bearer: {
          type: 'http', scheme: 'bearer', bearerFormat: 'JWT',
          description: 'A token of the issuer that this API trusts (RFC 6750), or an API key, which begins with `tbk_`.',
        },
        ticket: {
          type: 'apiKey', in: 'query', name: 'ticket',
          description:
            'For pages, whose EventSource sends no header: good for one feed, from ' + `\`POST /${versions.current.name}/live/tickets\`.`,
        },
        ...people?.securitySchemes,
      },
    },
  };
}

/** Internal resources that operations are about. */
const internals = modules.resources.filter(({ name }) => modules.rows.some(({ at }) => isOwnPlace(at) && at.about === name));

/** Whether its bodies are described by no component that several resources share. */
function hasOwnBody(row: Operation): boolean {
  return row.takes.some((type) => describedOf(row).components?.[type] === undefined);
}

function introduction({ anonymous, signedIn }: Plans, versions: Versions): string {
  return [
    boundsInWords,
    `Callers without a token may ask ${planInWords(anonymous)}, by address; signed-in ones ${planInWords(signedIn)}, where their token ` +
      'names no other plan, and where a deploy names none for them. Past that it is 429 with `Retry-After`.',
    'A refusal is a problem document (RFC 9457) whose `code` names the reason. Answers of reads carry an `ETag`; `If-None-Match` with it ' +
      'is answered 304. Whoever sends `Tombolo-Position` back sees their own writes.',
    versionsInWords(versions),
  ].join('\n\n');
}

function versionsInWords({ all, current }: Versions): string {
  const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  const listed = all.map(({ name, deprecatedAt, sunsetAt }) => {
    const gone = sunsetAt === undefined ? '' : `, 410 from ${day(sunsetAt)}`;
    const media = `\`application/vnd.tombolo.${name}+json\``;
    return deprecatedAt === undefined ? `\`${name}\` (${media})` : `\`${name}\` (${media}; deprecated since ${day(deprecatedAt)}${gone})`;
  });
  return `Versions: ${listed.join(', ')}, each described at \`/<version>/openapi.json\`. A request names one by its path, by ` +
    `\`API-Version\`, by its media type in \`Accept\` or by \`?version=\`; without any it is ` +
    `\`${current.name}\`.`;
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

function pathsOf(resource: Resource, version: Version): JsonObject {
  const rows = Map.groupBy(operationsOf(resource), (row) => pathOf(resource, row, version));
  const ofClients = [...rows].filter(([path]) => !isForEdgeAlone(path));
  return Object.fromEntries(ofClients.map(([path, here]) => [path, toPathItem(resource, here)]));
}

function toPathItem(resource: Resource, rows: readonly Operation[]): JsonObject {
  const id = { name: 'id', in: 'path', required: true, schema: toJsonSchema(bodiesOf(resource).id, 'input') };
  return {
    ...(rows.some(isOfDocument) ? { parameters: [id] } : {}),
    ...Object.fromEntries(rows.map((row) => [row.method.toLowerCase(), toOperation(resource, row)])),
  };
}
