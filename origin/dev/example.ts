/** A first question that is answered: of the first resource that lists documents to somebody, with the token that it takes. */
import type { Contract } from '../../shared/contract/contract.ts';
import { parseListQuery } from '../../shared/contract/query.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { mentionsOf, reduce } from '../../shared/contract/rules.ts';
import { anonymous, type Principal } from '../../shared/wire/principal.ts';
import type { Claims } from './identity.ts';

/** Rules that ask for more than this are of nobody who has just started. */
const tenant = 'acme';
const ofFilms = '?genres=Comedy&year[gte]=1980&sort=-year,title&limit=3';
/** So many are tried. */
const resourcesMax = 8;

interface Asked {
  readonly url: string;
  readonly served: Contract;
  readonly mint: (claims: Claims) => Promise<string>;
}

interface Example {
  readonly target: string;
  readonly claims: Claims | undefined;
}

/** The command line; `undefined` where nothing that is declared lists anything to anybody. */
export async function exampleOf({ url, served, mint }: Asked): Promise<string | undefined> {
  const examples = [...served.resources.values()].slice(0, resourcesMax).flatMap((resource) => toExamples(served, resource));
  let unready: Example | undefined;
  for (const example of examples) {
    const headers: Record<string, string> = example.claims === undefined ? {} : { authorization: `Bearer ${await mint(example.claims)}` };
    // Not the page that is named: it is cached as any other, and whoever asks first is shown a miss.
    const answer = await fetch(`${url}${example.target}&fields=id`, { headers }).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok === true) return toCommand(url, example);
    if (answer?.status === 503) unready ??= example;
  }
  return unready && toCommand(url, unready);
}

function toExamples({ versions: { current } }: Contract, resource: Resource): readonly Example[] {
  const { name } = resource;
  const principal = [anonymous, ...someOf(resource)].find((each) => reduce(resource.rules.read, each) !== false);
  const query = [...(name === 'films' ? [ofFilms] : []), '?limit=3'].find((each) => isServed(resource, each));
  if (principal === undefined || query === undefined) return [];
  const { subject, roles, claims } = principal;
  const others = typeof claims['tenant'] === 'string' ? { tenant: claims['tenant'] } : {};
  return [{ target: `/${current.name}/${name}${query}`, claims: subject === undefined ? undefined : { subject, roles, ...others } }];
}

/** From one who is only signed in to one who has all that the rule names. */
function someOf({ rules: { read } }: Resource): readonly Principal[] {
  const { roles, claims } = mentionsOf([read]);
  const alice = { subject: 'alice', roles: [], claims: {} };
  const all = { ...alice, roles: [...roles], claims: claims.has('tenant') ? { tenant } : {} };
  return [alice, ...[...roles].map((role) => ({ ...alice, roles: [role] })), { ...all, roles: [] }, all];
}

function isServed(resource: Resource, query: string): boolean {
  try {
    parseListQuery(resource, query);
    return true;
  } catch {
    return false;
  }
}

function toCommand(url: string, { target, claims }: Example): string {
  if (claims === undefined) return `curl -g '${url}${target}'`;
  const { subject, roles, tenant: of } = claims;
  const options = [`--sub ${subject}`, ...roles.map((role) => `--role '${role}'`), ...(of === undefined ? [] : [`--tenant ${of}`])];
  return `curl -g -H "Authorization: Bearer $(npm run --silent token -- ${options.join(' ')})" '${url}${target}'`;
}
