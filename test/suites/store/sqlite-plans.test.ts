/** Every way that a declared shape can be asked for seeks in its own index, and sorts nothing. */
import { Database } from 'bun:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { contract } from '../../../shared/contract/contract.ts';
import type { Resource } from '../../../shared/contract/resource.ts';
import { isByEntries, reversed } from '../../../shared/contract/shapes.ts';
import { entryIndexesOf } from '../../../shared/contract/entry-index.ts';
import { cinemas } from '../../../shared/resources/cinemas.ts';
import { films } from '../../../shared/resources/films.ts';
import { places } from '../../../shared/resources/places.ts';
import { toQueryPlan } from '../../../origin/store/plan.ts';
import { toIdsStatement, toListStatement, type Statement } from '../../../origin/store/sqlite/read/branch-query.ts';
import { toWalk } from '../../../origin/store/sqlite/read/reader.ts';
import { indexName, isOwnIndex } from '../../../origin/store/sqlite/install/resource-tables.ts';
import type { ListRequest } from '../../../origin/store/store.ts';
import { requestArbitrary } from './arbitraries.ts';
import { openSqlitePlace, type SqlitePlace } from './sqlite-place.ts';
import { everyThing } from './things.ts';

const stored = contract(films, places, cinemas, ...everyThing).stored;
/** What is served from an index over its own documents, or over entries, under the rule of those that they are of. */
const resources = [films, places, cinemas, ...everyThing].flatMap((resource): Resource[] => [
  { ...resource, shapes: resource.shapes.filter((shape) => !isByEntries(shape)) },
  ...entryIndexesOf(resource).map(({ entries }) => ({ ...entries, rules: resource.rules })),
]);
let place: SqlitePlace;
let database: Database;

beforeAll(async () => {
  place = await openSqlitePlace({ resources: stored });
  database = place.foreign();
});
afterAll(() => place.remove());

describe.each(resources.map((resource) => [resource.name, resource] as const))('the plans of %s', (_name, resource) => {
  test('seek in the index of their branch and sort nothing', () => {
    for (const request of requestsOf(resource)) {
      for (const [statement, index] of statementsOf(resource, request)) {
        expectSeek(explain(statement), index);
      }
    }
  });

  test('do so from any cursor', () => {
    const requests = requestsOf(resource).flatMap((request) => cursorsOf(request));
    for (const request of requests) for (const [statement, index] of statementsOf(resource, request)) expectSeek(explain(statement), index);
  });
});

/** The requests of each shape in each order, both ways, ranged or not, for all kinds of callers. */
function requestsOf(resource: Resource): readonly ListRequest[] {
  const sampled = fc.sample(requestArbitrary(resource), { numRuns: 200, seed: 3 });
  const seen = new Map(
    sampled.map((request) => [
      JSON.stringify([Object.keys(request.equal), request.sort, Object.keys(request.range?.bounds ?? {}), request.where]),
      request,
    ]),
  );
  const plain = resource.shapes.flatMap((shape) =>
    shape.sorts
      .flatMap((sort) => [sort, reversed(sort)])
      .map((sort): ListRequest => ({
        equal: Object.fromEntries(shape.equal.map((field) => [field, ['a']])),
        range: undefined, sort, where: true, after: undefined, limit: 20,
      })),
  );
  return [...seen.values(), ...plain.filter((request) => resource.rules.read.kind === 'anyone' && request.equal['id'] === undefined)];
}

function cursorsOf(request: ListRequest): readonly ListRequest[] {
  const ranks = [0, 1, 2, 5];
  return ranks.map((rank) => ({
    ...request,
    after: request.sort.map(({ field }) => (field === 'id' ? { rank: 2, value: 'a' } : { rank, value: rank === 2 ? 'a' : 0 })),
  }));
}

function statementsOf(resource: Resource, request: ListRequest): readonly (readonly [Statement, string])[] {
  const plan = toQueryPlan(resource, request);
  return plan.branches.flatMap((branch) => {
    const { components, segments } = toWalk(resource, request, plan, branch);
    const isOfId = branch.has === undefined && !isOwnIndex(branch.index);
    const name = isOfId ? `sqlite_autoindex_${resource.collection}_1` : indexName(resource, branch.index);
    return segments.flatMap((segment) => [
      [toListStatement(resource, branch, components, segment)(20), name] as const,
      [toIdsStatement(resource, branch, segment, 20), name] as const,
    ]);
  });
}

function explain({ sql, parameters }: Statement): readonly string[] {
  return database
    .prepare<{ detail: string }, (string | number)[]>(`EXPLAIN QUERY PLAN ${sql}`)
    .all(...parameters)
    .map(({ detail }) => detail);
}

function expectSeek(details: readonly string[], index: string): void {
  const [first = '', second, ...more] = details;
  const side = index.includes(':has.');
  expect(first).toStartWith('SEARCH ');
  if (side) expect(first).toContain('USING PRIMARY KEY (e_r=? AND e_v=?');
  else expect(first).toMatch(new RegExp(`USING (COVERING )?INDEX ${RegExp.escape(index)} \\(`));
  if (second !== undefined) expect([side, second]).toEqual([true, 'SEARCH m USING INTEGER PRIMARY KEY (rowid=?)']);
  expect(more).toEqual([]);
}
