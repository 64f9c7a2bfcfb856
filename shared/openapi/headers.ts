/** The header fields of requests and answers, as components of the description. */
import { limits } from '../wire/limits.ts';
import type { CarriedHeader, Operation } from '../operations/operation.ts';
import type { Resource } from '../contract/resource.ts';
import type { Version } from '../versions/versions.ts';
import type { JsonObject } from '../wire/values.ts';

const text = { type: 'string' } as const;

const answerHeaders = {
  'API-Version': { description: 'The version that answered.', schema: text },
  'X-Request-Id': { description: 'Names this request, in `instance` of a refusal and in our logs as well.', schema: text },
  ETag: { description: 'A strong tag of the bytes sent (RFC 9110 §8.8.3).', schema: text },
  Location: { description: 'Where the created document is, or the status of an operation.', schema: text },
  'Preference-Applied': { description: 'That a `Prefer` holds (RFC 7240 §3).', schema: text },
  Link: {
    description: 'The next and the previous page (RFC 8288); of a deprecated version also where the next one has the same (RFC 5829).',
    schema: text,
  },
  Deprecation: { description: 'Since when callers are asked to leave the version (RFC 9745).', schema: text },
  Sunset: { description: 'From when the version is answered with 410 (RFC 8594).', schema: text },
  'Tombolo-Position': {
    description: 'The state that a write left. Sent back with a read, it is answered from that state or a later one.', schema: text,
  },
  'Cache-Control': { description: 'Who may keep the answer; whoever keeps it asks before each use.', schema: text },
  'Cache-Status': { description: 'What the cache at the edge did (RFC 9211).', schema: text },
  Age: { description: 'Seconds since the origin was asked.', schema: { type: 'integer', minimum: 0 } },
  RateLimit: { description: 'What is left of each window of the plan (draft-ietf-httpapi-ratelimit-headers).', schema: text },
  'RateLimit-Policy': { description: 'The windows of the plan.', schema: text },
  'Tombolo-Brownout': {
    description:
      'There is too much to do, and this much of it is refused (503): 1 uploads, exports and what costs ten units or more, 2 reads of ' +
      'collections and changes of many documents too, 3 changes of one and new feeds too, 4 all that is not kept at the edge.',
    schema: { type: 'integer', minimum: 1, maximum: 4 },
  },
  'Retry-After': { description: 'Seconds to wait.', schema: { type: 'integer', minimum: 0 } },
  'WWW-Authenticate': { description: 'How to sign in (RFC 6750 §3).', schema: text },
  Allow: { description: 'The methods that the path takes.', schema: text },
} as const satisfies Readonly<Record<string, JsonObject>>;

export type AnswerHeader = keyof typeof answerHeaders;

/** All of them, as components. */
export const headerComponents: JsonObject = answerHeaders;

export const headersOfAll = [
  'API-Version', 'X-Request-Id', 'RateLimit', 'RateLimit-Policy', 'Tombolo-Brownout',
] as const satisfies readonly AnswerHeader[];
export const headersOfStates = ['ETag', 'Cache-Control', 'Cache-Status', 'Age'] as const satisfies readonly AnswerHeader[];

/** What every answer of a version carries that its callers are asked to leave. */
export function headersOfRetired({ deprecatedAt, sunsetAt }: Version): readonly AnswerHeader[] {
  if (deprecatedAt === undefined) return [];
  return sunsetAt === undefined ? ['Deprecation', 'Link'] : ['Deprecation', 'Sunset', 'Link'];
}

export function headerRefs(names: readonly AnswerHeader[]): JsonObject {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

/** An empty list is one, too (RFC 9110 §5.6.1.2). */
const tagList = { type: 'string', pattern: '^(\\*|((W/)?"[\\x21\\x23-\\x7e]*"(, (W/)?"[\\x21\\x23-\\x7e]*")*)?)$' } as const;

/** What clients send of the headers that the hop carries; the edge itself sets the others. */
const carried: Readonly<Partial<Record<CarriedHeader, JsonObject>>> = {
  'if-match': {
    name: 'If-Match', in: 'header', schema: tagList,
    description: 'Only if the document is one that these tags name (RFC 9110 §13.1.1); else 412.',
  },
  'if-none-match': {
    name: 'If-None-Match', in: 'header', schema: tagList,
    description: 'Only if the document is none that these tags name (RFC 9110 §13.1.2); else 304 to a read and 412 to a write.',
  },
  'idempotency-key': {
    name: 'Idempotency-Key', in: 'header', schema: { type: 'string', pattern: '^[\\x21\\x23-\\x7e][\\x21-\\x7e]{0,254}$' },
    description: 'Names this request: sent again with the same key and body, it has one effect and the same answer.',
  },
  prefer: {
    name: 'Prefer', in: 'header', schema: text,
    description:
      '`respond-async` (RFC 7240 §4.1), in the current version, of whoever is signed in: 202, and the operation goes on behind that.',
  },
  'last-event-id': {
    name: 'Last-Event-ID', in: 'header', schema: text,
    description: 'The id of the last event that was heard; the feed goes on behind it.',
  },
};

const position: JsonObject = {
  name: 'Tombolo-Position', in: 'header', schema: text,
  description: 'A position that an answer or an event carried: the answer is of that state or a later one.',
};

export const headerParameterComponents: JsonObject = Object.fromEntries(
  [...Object.values(carried), position].map((parameter) => [String(parameter['name']), parameter]),
);

/** Ways to name the version beside the path, which names it too: another one there is 400 (SEMANTICS §19). */
export function versionParameterComponents({ name }: Version): JsonObject {
  const description = 'The version, for paths that name none.';
  return {
    'API-Version': { name: 'API-Version', in: 'header', description, schema: { const: name } },
    version: { name: 'version', in: 'query', description, schema: { const: name } },
  };
}

export const versionParameters: readonly JsonObject[] = [parameterRef('API-Version'), parameterRef('version')];

/** The header parameters of an operation. */
export function headerParametersOf({ preconditions }: Resource, operation: Operation): readonly JsonObject[] {
  const { carries, conditions, answers, body } = operation;
  const taken = carries.filter((name) => {
    if (name === 'if-match' || name === 'if-none-match') return conditions !== 'none';
    // A stream cannot be told from another one, so an Idempotency-Key beside it is refused (SEMANTICS §10).
    return name !== 'idempotency-key' || body !== 'streamed';
  });
  const demanded = conditions === 'change' && preconditions === 'required';
  return [
    ...taken.flatMap((name) => {
      const parameter = carried[name];
      if (parameter === undefined) return [];
      return [demanded && name === 'if-match' ? { ...parameter, required: true } : parameterRef(String(parameter['name']))];
    }),
    ...(answers === 'effect' ? [] : [parameterRef(String(position['name']))]),
  ];
}

function parameterRef(name: string): JsonObject {
  return { $ref: `#/components/parameters/${name}` };
}

/** What every request is bound by, in words. */
export const boundsInWords =
  `Path and query have at most ${limits.targetBytesMax} bytes (414), header fields ${limits.headerBytesMax} (431), ` +
  `a body ${limits.bodyBytesMax} (413); a request takes at most ${limits.requestMsMax / 1_000} s (504), unless its operation says so.`;
