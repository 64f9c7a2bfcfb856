/** What the description says of people: the paths below `/auth`, where they are on (SEMANTICS §20). */
import { peopleRoot } from '../people/paths.ts';
import { problemMediaType } from '../wire/problem.ts';
import type { JsonObject } from '../wire/values.ts';
import { schemaRef } from './described.ts';
import { headerRefs, headersOfAll } from './headers.ts';

export interface OfferedToPeople {
  /** Below `/auth`; a parameter is a segment after a colon. */
  readonly path: string;
  readonly method: string;
  /** Who may ask: with a session, or without one too. */
  readonly by: 'anyone' | 'session' | 'either';
  readonly says: string;
  readonly gives: PeopleAnswer;
}

/** With what it takes. */
export interface PeopleEndpoint extends OfferedToPeople {
  readonly body?: JsonObject | undefined;
  /** Its members are the parameters of the query. */
  readonly query?: JsonObject | undefined;
}

/** Part of a description, whose names no resource has. */
export interface PeoplePart {
  readonly tags: readonly JsonObject[];
  readonly paths: JsonObject;
  readonly schemas: JsonObject;
  readonly responses: JsonObject;
  readonly securitySchemes: JsonObject;
}

const text = { type: 'string' } as const;
const moment = { type: 'string', format: 'date-time' } as const;
const seconds = { type: 'integer', minimum: 1 } as const;
const done = { type: 'boolean' } as const;

const user = {
  type: 'object', required: ['id', 'email', 'emailVerified', 'name'],
  properties: { id: text, email: text, emailVerified: done, name: text, image: { type: ['string', 'null'] } },
} as const;
const sessionMembers = {
  id: text, userId: text, expiresAt: moment, createdAt: moment, updatedAt: moment,
  token: { ...text, description: 'What stands for the session in lists, and begins none.' },
  ipAddress: { type: ['string', 'null'] }, userAgent: { type: ['string', 'null'] },
  activeOrganizationId: { type: ['string', 'null'], description: 'The tenant of its access tokens.' },
} as const;
const session = { type: 'object', required: ['id', 'userId', 'expiresAt', 'token'], properties: sessionMembers } as const;

interface Answer {
  readonly description: string;
  readonly schema: JsonObject;
  /** JSON unless said. */
  readonly mediaType?: string;
}

/** What is answered, by name. */
const answers = {
  Object: { description: 'Done, with what came of it.', schema: { type: ['object', 'null'] } },
  List: { description: 'All of them.', schema: { type: 'array', items: { type: 'object' } } },
  Link: { description: 'Done, where no page was named.', schema: { type: ['object', 'null'] } },
  Done: { description: 'Done.', schema: { type: 'object', required: ['success'], properties: { success: done } } },
  Page: { description: 'A page for people.', mediaType: 'text/html', schema: text },
  Elsewhere: {
    description: 'Where to go.',
    schema: { type: 'object', required: ['url'], properties: { url: { type: 'string', format: 'uri' }, redirect: done } },
  },
  SignedUp: {
    description: 'A mail has been sent, to whoever has the address.',
    schema: { type: 'object', required: ['status', 'message'], properties: { status: done, message: text } },
  },
  SignedIn: {
    description: 'Signed in, by a cookie and by the `token` of the session; or the second factor is awaited.',
    schema: {
      anyOf: [
        { type: 'object', required: ['token', 'user'], properties: { token: text, user, redirect: done } },
        { type: 'object', required: ['twoFactorRedirect'], properties: { twoFactorRedirect: { const: true } } },
      ],
    },
  },
  Sessions: { description: 'All of them.', schema: { type: 'array', items: session } },
  MaybeSession: {
    description: 'The session, and whose it is.',
    schema: { anyOf: [{ type: 'null' }, { type: 'object', required: ['session', 'user'], properties: { session, user } }] },
  },
  AccessToken: { description: 'An access token.', schema: { type: 'object', required: ['token'], properties: { token: text } } },
  Refreshed: {
    description: 'An access token, and the next refresh token.',
    schema: {
      type: 'object', required: ['token', 'expiresIn', 'refreshToken'], properties: { token: text, expiresIn: seconds, refreshToken: text },
    },
  },
  KeySet: {
    description: 'The keys.',
    schema: { type: 'object', required: ['keys'], properties: { keys: { type: 'array', items: { type: 'object' } } } },
  },
} as const satisfies Readonly<Record<string, Answer>>;

export type PeopleAnswer = keyof typeof answers;

const tag = 'People';
const refusal = 'people.refusal';

export function toPeoplePart(endpoints: readonly PeopleEndpoint[]): PeoplePart {
  const byPath = Map.groupBy(endpoints, ({ path }) => peopleRoot + path.replace(/:(\w+)/g, '{$1}'));
  return {
    tags: [{
      name: tag,
      description:
        'Signing up and in, sessions, second factors, passkeys and organisations. Whatever changes something by a cookie names the ' +
        '`Origin` of its page, as browsers do. Tries of a password or code, and mails, are counted: past that 429 with `Retry-After`.',
    }],
    paths: Object.fromEntries([...byPath].map(([path, here]) => [path, toPathItem(path, here)])),
    schemas: {
      PeopleProblem: {
        description: 'A refusal (RFC 9457). `code` names its reason, also such as only paths below `/auth` have.',
        type: 'object', required: ['type', 'title', 'status', 'instance', 'code'],
        properties: {
          type: text, title: text, status: { type: 'integer' }, detail: text, instance: text, traceId: text, code: text,
          errors: { type: 'array', items: schemaRef('FieldError') },
        },
      },
    },
    responses: {
      ...Object.fromEntries(Object.entries<Answer>(answers).map(([name, answer]) => [nameOf(name), toResponse(answer)])),
      [refusal]: {
        description: 'Refused.', headers: headerRefs(['X-Request-Id', 'Retry-After']),
        content: { [problemMediaType]: { schema: schemaRef('PeopleProblem') } },
      },
    },
    securitySchemes: {
      session: {
        type: 'apiKey', in: 'cookie', name: '__Host-tombolo.session_token',
        description: 'Set by a sign-in; without `__Host-` where the API is served without TLS, on a developer’s machine.',
      },
    },
  };
}

function nameOf(answer: string): string {
  return `people.${answer}`;
}

function toResponse({ description, schema, mediaType = 'application/json' }: Answer): JsonObject {
  return { description, headers: headerRefs(headersOfAll), content: { [mediaType]: { schema } } };
}

function toPathItem(path: string, here: readonly PeopleEndpoint[]): JsonObject {
  const parameters = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({ name, in: 'path', required: true, schema: text }));
  return {
    ...(parameters.length > 0 ? { parameters } : {}),
    ...Object.fromEntries(here.map((each) => [each.method.toLowerCase(), toOperation(each)])),
  };
}

const security = { anyone: [{}], session: [{ session: [] }], either: [{}, { session: [] }] } as const;

function toOperation({ path, by, says, gives, body, query }: PeopleEndpoint): JsonObject {
  return {
    operationId: `auth${path.replace(/[/:]+/g, '-')}`,
    tags: [tag],
    summary: says,
    security: security[by],
    ...(query === undefined ? {} : { parameters: toParameters(query) }),
    ...(body === undefined ? {} : { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    responses: {
      200: { $ref: `#/components/responses/${nameOf(gives)}` },
      ...(gives === 'Link' ? { 302: { description: 'To the page that was named.' } } : {}),
      default: { $ref: `#/components/responses/${refusal}` },
    },
  };
}

function toParameters({ properties = {}, required = [] }: JsonObject): readonly JsonObject[] {
  return Object.entries(properties as JsonObject).map(([name, schema]) => ({
    name, in: 'query', required: (required as readonly string[]).includes(name), schema: schema as JsonObject,
  }));
}
