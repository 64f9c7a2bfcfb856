/**
 * Where people are sent (SEMANTICS §20): to the API itself or to a declared page. What a caller names is looked at before it is
 * taken, and where an answer leads before it leaves, both as browsers resolve them (WHATWG URL §4.4): better-auth reads the text,
 * and writes `/..//host` as `//host` where it adds an error to it.
 */
import type { BetterAuthPlugin } from 'better-auth';
import { APIError, createAuthMiddleware } from 'better-auth/api';
import { isJsonObject } from '../../shared/wire/values.ts';
import type { PeopleSettings } from './settings.ts';

/** What names a page in a body or a query, and better-auth's codes of refusals of it. */
const codes = {
  callbackURL: 'INVALID_CALLBACK_URL', errorCallbackURL: 'INVALID_ERROR_CALLBACK_URL',
  newUserCallbackURL: 'INVALID_NEW_USER_CALLBACK_URL', redirectTo: 'INVALID_REDIRECT_URL',
} as const;

export function declaredPages({ url, pages }: Pick<PeopleSettings, 'url' | 'pages'>) {
  const origins = new Set([url, ...pages]);
  const isDeclared = (to: string): boolean => {
    if (!URL.canParse(to, url)) return false;
    const { origin, pathname } = new URL(to, url);
    return origins.has(origin) && !pathname.startsWith('//');
  };
  const mustBeDeclared = (given: unknown): void => {
    if (!isJsonObject(given)) return;
    for (const [name, code] of Object.entries(codes)) {
      const wrong = [given[name]].flat().some((to) => typeof to === 'string' && to !== '' && !isDeclared(to));
      if (wrong) throw new APIError('FORBIDDEN', { code, message: `Invalid ${name}` });
    }
  };
  return {
    id: 'tombolo-pages',
    hooks: {
      before: [{
        matcher: () => true,
        handler: createAuthMiddleware(async ({ body, query }) => {
          mustBeDeclared(body);
          mustBeDeclared(query);
        }),
      }],
    },
    async onResponse(response: Response) {
      const { status, headers } = response;
      const to = headers.get('location');
      if (to === null || isDeclared(to)) return undefined;
      if (status >= 300) return { response: Response.json(undeclared, { status: 403 }) };
      // Whoever signs in by another issuer reads in the body where to go.
      headers.delete('location');
      return undefined;
    },
  } as const satisfies BetterAuthPlugin;
}

const undeclared = { code: codes.callbackURL, message: 'This leads to no page that is declared' } as const;
