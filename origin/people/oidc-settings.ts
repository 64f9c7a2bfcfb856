/**
 * `TOMBOLO_PEOPLE_OIDC`: other issuers whose accounts people may sign in with, as JSON. It has secrets in it, so it may be in
 * a file (`TOMBOLO_PEOPLE_OIDC_FILE`).
 */
import * as z from 'zod';
import { type Environment, isSafeUrl, type SettingsReader } from '../../shared/settings/reader.ts';

const variable = 'TOMBOLO_PEOPLE_OIDC';

const providersMax = 20;

const providerSchema = z.strictObject({
  /** Stands in the callback's path, `/auth/callback/<id>`, and beside each account. */
  id: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'must be up to 32 of a-z, 0-9 and -').refine((id) => id !== 'credential', 'is taken'),
  /** As its tokens say it, letter by letter; its discovery document is below it (OpenID Connect Discovery 1.0 §4). */
  issuer: z.url().refine((text) => !/[?#]/.test(text), 'must have neither query nor fragment'),
  clientId: z.string().min(1),
  /** Absent for a public client, which PKCE alone protects. */
  clientSecret: z.string().min(1).optional(),
  scopes: z.array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/)).max(20).default(['openid', 'email', 'profile']),
});

export type OidcProvider = Readonly<z.infer<typeof providerSchema>>;

const providersSchema = z.array(providerSchema).max(providersMax).refine(
  (providers) => new Set(providers.map(({ id }) => id)).size === providers.length, 'two have one id',
);

/** A complaint names the place and never a value. */
export function readOidcProviders(reader: SettingsReader, environment: Environment): readonly OidcProvider[] {
  const text = reader.optional(variable);
  if (text === '') return [];
  const { data, error } = providersSchema.safeParse(toJson(text));
  for (const { path, message } of error?.issues ?? []) {
    reader.complain(variable, `${path.length === 0 ? 'the list' : `/${path.map(String).join('/')}`}: ${message}`);
  }
  for (const [index, { issuer }] of (data ?? []).entries()) {
    if (!isSafeUrl(new URL(issuer), environment)) reader.complain(variable, `/${index}/issuer: must be an https URL`);
  }
  return data ?? [];
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
