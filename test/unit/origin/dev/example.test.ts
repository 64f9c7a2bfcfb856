/** The first question that a start names is one that is answered, with the token that it takes. */
import { afterEach, expect, test } from 'bun:test';
import * as z from 'zod';
import { exampleOf } from '../../../../origin/dev/example.ts';
import { contract } from '../../../../shared/contract/contract.ts';
import { resource } from '../../../../shared/contract/resource.ts';
import { all, anyone, nobody, owner, role, type Rule, signedIn, tenant } from '../../../../shared/contract/rules.ts';
import type { Shape } from '../../../../shared/contract/shapes.ts';

const open: { [Symbol.asyncDispose](): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each[Symbol.asyncDispose]();
});

interface Given {
  readonly read: Rule;
  readonly status?: number;
  readonly shapes?: Readonly<Record<string, Partial<Pick<Shape, 'equal'>>>>;
}

/** The line for an API of these resources, of which each answers its status to whoever it takes. */
async function lineOf(given: Readonly<Record<string, Given>>): Promise<string | undefined> {
  const schema = z.object({ by: z.string() });
  const resources = Object.entries(given).map(([name, { read, shapes = { all: {} } }]) =>
    resource({ name, schema, shapes, rules: { read, write: nobody } }));
  const server = Bun.serve({
    port: 0,
    fetch: ({ url, headers }) => {
      const { read, status = 200 } = given[new URL(url).pathname.split('/')[2] ?? ''] ?? { read: nobody };
      return new Response('', { status: read !== anyone && !headers.has('authorization') ? 401 : status });
    },
  });
  open.push({ [Symbol.asyncDispose]: () => server.stop(true) });
  const line = await exampleOf({ url: `http://127.0.0.1:${server.port}`, served: contract(...resources), mint: async () => 'a.b.c' });
  return line?.replace(`:${server.port}`, '');
}

const url = 'http://127.0.0.1/v1/notes?limit=3';
const withToken = (options: string) => `curl -g -H "Authorization: Bearer $(npm run --silent token -- ${options})" '${url}'`;

test.each<[string, Rule, string]>([
  ['anybody', anyone, `curl -g '${url}'`],
  ['whoever is signed in', signedIn, withToken('--sub alice')],
  ['owners', owner('by'), withToken('--sub alice')],
  ['a role', role('admin'), withToken("--sub alice --role 'admin'")],
  ['a role of a tenant', all(role('staff'), tenant('by')), withToken("--sub alice --role 'staff' --tenant acme")],
])('it has the token where %s may read', async (_who, read, line) => {
  expect(await lineOf({ notes: { read } })).toBe(line);
});

test('it is of a resource that somebody may list and that answers', async () => {
  expect(await lineOf({
    hidden: { read: nobody }, asked: { read: anyone, shapes: { byBy: { equal: ['by'] } } }, unready: { read: anyone, status: 503 },
    notes: { read: role('admin') },
  })).toBe(withToken("--sub alice --role 'admin'"));
  expect(await lineOf({ hidden: { read: nobody }, notes: { read: anyone, status: 503 } })).toBe(`curl -g '${url}'`);
  expect(await lineOf({ hidden: { read: nobody } })).toBeUndefined();
});
