/**
 * Signing in with an account of another issuer (OpenID Connect Core 1.0 §3.1), by better-auth: a code with PKCE (RFC 7636), a
 * state that the browser's cookie holds too, and a nonce, which the ID token says again.
 *
 *   sign-in/social ─▶ issuer ─▶ callback/<id> ─▶ ID token: signed, of that issuer, for us, with the nonce ─▶ session
 *
 * Its subject is known by issuer and `sub` from then on. The first time, the address of mail decides whose account it is, so
 * the issuer must say that the address is proved, and so must we, where somebody has it here: a stranger who signed up with
 * another's address would else be given what its owner does.
 */
import type { BetterAuthOptions, BetterAuthPlugin } from 'better-auth';
import { createAuthMiddleware } from 'better-auth/api';
import { type GenericOAuthConfig, genericOAuth } from 'better-auth/plugins/generic-oauth';
import { decodeJwt } from 'jose';
import * as z from 'zod';
import { mustBeAsked } from './asked-body.ts';
import type { OidcProvider } from './oidc-settings.ts';

export function signInByOidc(providers: readonly OidcProvider[]): readonly BetterAuthPlugin[] {
  const config = providers.map(toConfig);
  return [
    {
      ...genericOAuth({ config }),
      // An issuer is asked for its endpoints when somebody first signs in by it: one that is away holds up no start.
      init: () => ({ context: { genericOAuthPendingDiscovery: new Map(config.map((each) => [each.providerId, each])) } }),
    },
    {
      id: 'tombolo-oidc',
      hooks: {
        before: [{
          matcher: ({ path }) => path === signInPath, handler: createAuthMiddleware(async ({ body }) => mustBeAsked(askedOfIssuers, body)),
        }],
      },
      init: () => ({ options: { databaseHooks: { account: { create: { before: withoutTokens } } } } }),
    },
  ];
}

const signInPath = '/sign-in/social';

/** better-auth would take tokens and parameters of the caller's, too. */
export const askedOfIssuers = z.strictObject({
  provider: z.string(),
  callbackURL: z.string().optional(), errorCallbackURL: z.string().optional(), newUserCallbackURL: z.string().optional(),
  disableRedirect: z.boolean().optional(),
});

function toConfig({ id, issuer, clientId, clientSecret, scopes }: OidcProvider): GenericOAuthConfig {
  return {
    providerId: id, clientId, scopes: [...scopes],
    ...(clientSecret === undefined ? { tokenEndpointAuth: { method: 'none' } } : { clientSecret, authentication: 'basic' }),
    discoveryUrl: `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`,
    requireIdTokenVerification: true,
    accountSubject: ({ tokens }) => mustSubject(tokens.idToken, issuer),
  };
}

/** Asked behind the verification, which is against the issuer that discovery names (OpenID Connect Discovery 1.0 §4.3). */
function mustSubject(idToken: string | undefined, issuer: string): string {
  if (idToken === undefined) throw new Error('the issuer gave no ID token');
  const { sub, iss } = decodeJwt(idToken);
  if (iss !== issuer || sub === undefined) throw new Error('the ID token is of another issuer');
  return sub;
}

type Validate = NonNullable<NonNullable<BetterAuthOptions['user']>['validateUserInfo']>;

/** Nothing is made for an address that the issuer does not vouch for, nor given to whoever has that address here. */
export const mustBeProved: Validate = ({ user, source: { method, action } }) => {
  if (method !== 'oauth' || action === 'sign-in' || user.emailVerified === true) return;
  return { error: 'email_not_proved', errorDescription: 'the issuer does not say that this address is proved' };
};

/** What an issuer's tokens open there is not needed here. */
async function withoutTokens(account: Readonly<Record<string, unknown>>) {
  return { data: { ...account, accessToken: undefined, refreshToken: undefined, idToken: undefined } };
}
