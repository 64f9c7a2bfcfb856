/** What the edge tells the origin of use: that so much of a quota is used. */
import * as z from 'zod';
import { bodyOf } from '../contract/documents.ts';
import { anyone } from '../contract/rules.ts';
import { operations } from '../operations/operation.ts';
import { limits } from '../wire/limits.ts';
import { mustBeWithoutParameters } from '../wire/parameters.ts';
import type { JsonObject } from '../wire/values.ts';
import { alertFields, usageAlertsName } from './alert.ts';

const alert = z.object({ ...alertFields, isOfTenant: z.boolean().optional() });

/** Whom it is about is whom the edge asks for. */
export const usageOperations = operations({
  noteUsageAlert: {
    method: 'POST', at: { path: '/.usage/alerts', about: usageAlertsName }, answers: 'effect', right: anyone,
    body: 'buffered', bodyBytesMax: limits.bodyBytesMax, takes: ['application/json'], gives: ['application/json'],
    carries: [], conditions: 'none', msMax: limits.requestMsMax, cost: 1,
    parse: (_resource, query) => mustBeWithoutParameters(query),
    schema: () => alertBody,
  },
});

const alertBody = bodyOf(alert);

export type UsageAlert = z.output<typeof alert>;

/** What the schema made of a body. */
export function alertIn(body: JsonObject): UsageAlert {
  return body as UsageAlert;
}
