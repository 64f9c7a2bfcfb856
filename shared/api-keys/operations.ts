/**
 * API keys as clients manage them, and what the edge asks of them for itself: a key by its id, to judge who brings it, and
 * that keys were used.
 */
import * as z from 'zod';
import { dependenciesOfDocument } from '../contract/dependencies.ts';
import { bodyOf } from '../contract/documents.ts';
import { anyone, signedIn } from '../contract/rules.ts';
import { instant, integer } from '../contract/types.ts';
import { operations, type StateRead } from '../operations/operation.ts';
import { isOriginOfPage } from '../wire/origins.ts';
import { limits } from '../wire/limits.ts';
import { limitIn } from '../wire/page-parameters.ts';
import { mustBeWithoutParameters, mustKnowOnly, parametersRefused, toParameters } from '../wire/parameters.ts';
import type { JsonObject } from '../wire/values.ts';
import { keyLimits } from './limits.ts';
import { parseNetwork } from './networks.ts';
import { apiKeys, apiKeyUses, keyId } from './resource.ts';

const json = 'application/json';
const about = 'keys';
const short = { bodyBytesMax: limits.bodyBytesMax, msMax: limits.requestMsMax, cost: 1 } as const;
const read = {
  ...short, method: 'GET', answers: 'state', body: 'none', takes: [], gives: [json], carries: ['if-match', 'if-none-match'],
  conditions: 'read',
} as const;
const effect = { ...short, answers: 'effect', gives: [json], carries: ['idempotency-key'], conditions: 'none' } as const;
const parseNone = (_resource: unknown, query: string): void => mustBeWithoutParameters(query);
/** Made for one caller, and of more than the keys: when each was last used. */
const unkept = () => ({
  name: 'api keys', dependencies: [apiKeys, apiKeyUses].map(({ name }) => ({ resource: name, buckets: [] })), keepsAbsence: false,
});

const scope = z.string()
  .regex(/^(\*|[a-z][a-z0-9-]{0,62}):(\*|[A-Za-z][A-Za-z0-9-]{0,62})$/, 'must be a resource and an operation, as in films:list');
const few = <Type extends z.ZodType>(type: Type) => z.array(type).max(keyLimits.listedMax);

const network = z.string().max(49)
  .refine((text) => parseNetwork(text) !== undefined, 'must be an address or a network, as in 192.0.2.0/24');

const newKey = z.object({
  name: z.string().min(1).max(100).meta({ examples: ['nightly report'] }),
  scopes: few(scope.meta({ examples: ['films:read'] })).min(1).meta({ examples: [['films:read']] }),
  roles: few(z.string().min(1).max(100)).optional(),
  tenant: z.string().min(1).max(64).optional(),
  plan: z.string().min(1).max(32).optional(),
  expiresAt: instant().optional(),
  addresses: few(network).optional(),
  origins: few(z.string().max(300).refine(isOriginOfPage, 'must be an exact origin, as in https://app.example.com')).optional(),
});
const rotation = z.object({ overlapSeconds: integer().min(0).max(keyLimits.overlapSecondsMax).default(keyLimits.overlapSeconds) });
const used = z.object({ used: z.array(z.object({ id: keyId, at: instant() })).min(1).max(keyLimits.usesToldMax) });

export const keyBodies = { newKey: bodyOf(newKey), rotation: bodyOf(rotation), used: bodyOf(used) } as const;

export const apiKeyOperations = operations({
  makeKey: {
    ...effect, method: 'POST', at: { path: '/keys', about }, right: signedIn, body: 'buffered', takes: [json],
    parse: parseNone, schema: () => keyBodies.newKey,
  },
  listKeys: {
    ...read, at: { path: '/keys', about }, right: signedIn,
    parse: parsePage, cached: unkept,
  },
  getKey: {
    ...read, at: { path: '/keys/:id', about }, right: signedIn,
    parse: parseNone, cached: unkept,
  },
  revokeKey: {
    ...effect, method: 'DELETE', at: { path: '/keys/:id', about }, right: signedIn, body: 'none', takes: [],
    parse: parseNone,
  },
  rotateKey: {
    ...effect, method: 'POST', at: { path: '/keys/:id/rotate', about }, right: signedIn, body: 'buffered', takes: [json],
    parse: parseNone, schema: () => keyBodies.rotation,
  },
  findKey: {
    ...read, at: { path: '/.keys/:id', about }, right: anyone,
    parse: parseNone,
    cached: ({ id }: StateRead<void>) => ({ name: id, dependencies: dependenciesOfDocument(apiKeys, id), keepsAbsence: true }),
  },
  noteKeyUses: {
    ...effect, method: 'POST', at: { path: '/.keys/used', about }, right: anyone, body: 'buffered', takes: [json],
    parse: parseNone, schema: () => keyBodies.used,
  },
});

export type NewKey = z.output<typeof newKey>;
export type KeyUse = z.output<typeof used>['used'][number];

/** What the schemas made of a body. */
export function newKeyIn(body: JsonObject): NewKey {
  return body as NewKey;
}

export function overlapIn(body: JsonObject): number {
  return (body as z.output<typeof rotation>).overlapSeconds;
}

export function usesIn(body: JsonObject): readonly KeyUse[] {
  return (body as z.output<typeof used>).used;
}

export interface KeysPage {
  readonly limit: number;
  /** The id of the last key of the page before. */
  readonly after: string | undefined;
}

function parsePage(_resource: unknown, query: string): KeysPage {
  const parameters = toParameters(query);
  mustKnowOnly(parameters, ['limit', 'after'], 'keys are listed by limit and after');
  const limit = limitIn(parameters);
  const after = parameters.get('after') ?? undefined;
  if (after !== undefined && !keyId.safeParse(after).success) throw parametersRefused([['after', 'must be the id of a key']]);
  return { limit, after };
}
