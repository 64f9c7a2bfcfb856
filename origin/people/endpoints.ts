/** What is offered to people with the bodies and queries that better-auth takes there, for the description of the API. */
import { memoryAdapter } from 'better-auth/adapters/memory';
import * as z from 'zod';
import { toJsonSchema } from '../../shared/openapi/json-schema.ts';
import type { OfferedToPeople, PeopleEndpoint } from '../../shared/openapi/people.ts';
import { peopleLimits } from '../../shared/people/limits.ts';
import { openAuth } from './auth.ts';
import { offeredToPeople } from './offered.ts';
import { askedOfIssuers } from './oidc.ts';

const password = z.string().min(peopleLimits.passwordCharactersMin).max(peopleLimits.passwordCharactersMax);

/** Where better-auth's own schema takes more than is offered, or anything. */
const bodies: Readonly<Record<string, z.ZodType>> = {
  '/sign-up/email': z.object({ name: z.string(), email: z.email(), password, callbackURL: z.string().optional() }),
  '/sign-in/social': askedOfIssuers,
  '/email-otp/send-verification-otp': z.object({ email: z.email(), type: z.literal('sign-in') }),
  '/sign-in/email-otp': z.object({ email: z.email(), otp: z.string(), name: z.string().optional() }),
  '/sign-out': z.object({}),
  '/delete-user': z.object({ callbackURL: z.string().optional() }),
  '/two-factor/enable': z.object({ password: z.string() }),
  '/update-user': z.object({ name: z.string().optional(), image: z.string().optional() }),
  '/reset-password': z.object({ newPassword: password, token: z.string() }),
  '/change-password': z.object({ newPassword: password, currentPassword: z.string(), revokeOtherSessions: z.boolean().optional() }),
};

interface Endpoint {
  readonly path?: string;
  readonly options: { readonly method: unknown; readonly body?: z.ZodType; readonly query?: z.ZodType };
}

/** Throws where something is offered that better-auth does not have. Nothing is opened but better-auth, over no database. */
export async function peopleEndpoints(): Promise<readonly PeopleEndpoint[]> {
  const { api } = await openAuth({
    settings: { url: nowhere, issuer: nowhere, audience: nowhere, secret: 's'.repeat(43), pages: [], oidc: [], smtp: undefined },
    database: { adapter: memoryAdapter({}), install: async () => undefined, close: async () => undefined },
    signToken: undefined, mail: async () => undefined, logError: () => undefined, now: Date.now, departs: async () => undefined,
  });
  const all = new Map(Object.values<Endpoint>(api).flatMap((each) =>
    [each.options.method].flat().map((method) => [`${String(method)} ${each.path}`, each] as const)));
  return offeredToPeople.map((offered) => toEndpoint(offered, all.get(`${offered.method} ${offered.path}`)));
}

const nowhere = 'https://api.tombolo.invalid';

function toEndpoint(offered: OfferedToPeople, found: Endpoint | undefined): PeopleEndpoint {
  if (found === undefined) throw new Error(`better-auth has no ${offered.method} ${offered.path} any more`);
  const { query } = found.options;
  const body = offered.method === 'POST' ? (bodies[offered.path] ?? found.options.body) : undefined;
  const toSchema = (type: z.ZodType | undefined) => (type === undefined ? undefined : toJsonSchema(type, 'input'));
  return { ...offered, body: toSchema(body), query: toSchema(query) };
}
