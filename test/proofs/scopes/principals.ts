/** Everybody who asks in the scope test, with what tells their secrets apart from those of the others. */
import { forgeToken } from '../../support/forged-token.ts';
import { memberIn } from '../../support/person-in-world.ts';
import type { World } from '../../support/whole-world.ts';
import type { Name } from './naive-api.ts';

export interface Person {
  readonly name: string;
  readonly subject: string | undefined;
  readonly roles: readonly string[];
  readonly tenant: string | undefined;
}

export interface Caller extends Person {
  /** An access token, or the text of an API key. */
  readonly token: string | undefined;
  /** What an API key may read; `undefined`: whatever its maker may. */
  readonly only?: readonly Name[];
  /** Whether a session of people gave the token. */
  readonly hasSession?: boolean;
}

const person = (name: string, roles: readonly string[] = [], tenant?: string): Person => ({ name, subject: name, roles, tenant });

const nobody: Person = { name: 'anyone', subject: undefined, roles: [], tenant: undefined };
export const alice = person('alice');
export const bob = person('bob');
export const editor = person('erin', ['editor']);
export const moderator = person('mona', ['moderator']);
export const members = [person('anna', [], 'acme'), person('berta', [], 'bolt')] as const;
export const staff = [person('sara', ['staff'], 'acme'), person('stef', ['staff'], 'bolt')] as const;
export const everybody: readonly Person[] = [nobody, alice, bob, editor, moderator, ...members, ...staff];

/** Gives everybody a token that no plan slows down. */
export async function signIn(world: World, people: readonly Person[]): Promise<readonly Caller[]> {
  return Promise.all(people.map(async (one) => ({
    ...one,
    token: one.subject === undefined ? undefined
      : await forgeToken(world, {
          payload: {
            sub: one.subject,
            roles: [...one.roles],
            plan: 'bench',
            ...(one.tenant === undefined ? {} : { tenant: one.tenant }),
          },
        }),
  })));
}

/** Two with a session: one is nobody in particular, and one acts in an organisation, a tenant that has no orders. */
export async function signInByMail(world: World): Promise<readonly Caller[]> {
  const [sam, olga] = await Promise.all(['sam', 'olga'].map(async (name) => (await memberIn(world, `${name}@example.com`)).person));
  await olga?.post('/auth/organization/create', { name: 'Orient', slug: 'orient' });
  return Promise.all([{ name: 'sam', by: sam }, { name: 'olga', by: olga }].map(async ({ name, by }) => {
    if (by === undefined) throw new Error(`${name} has not signed in`);
    const { token, claims: { sub, tenant, roles } } = await by.token();
    return {
      name, subject: String(sub), roles: roles as readonly string[], tenant: tenant as string | undefined, token, hasSession: true,
    };
  }));
}

const narrow: readonly (readonly Name[])[] = [['films'], ['reviews'], ['films', 'reviews']];

/** Everybody who is signed in once more, by a key that reads all that its maker may, and by one that reads less. */
export async function giveKeys(world: World, callers: readonly Caller[]): Promise<readonly Caller[]> {
  const given = callers.flatMap((caller, index) =>
    caller.token === undefined ? [] : [caller, { ...caller, only: narrow[index % narrow.length] ?? [] }]);
  return Promise.all(given.map(async ({ token = '', ...caller }) => {
    const scopes = (caller.only ?? ['*']).map((name) => `${name}:read`);
    const { status, text } = await world.request('/v2/keys', { token, json: { name: 'a', scopes } });
    if (status !== 201) throw new Error(`no key for ${caller.name}: ${text}`);
    return { ...caller, token: (JSON.parse(text) as { readonly key: string }).key };
  }));
}
