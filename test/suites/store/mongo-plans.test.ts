/** What a list costs on MongoDB: every shape in every order, with a cursor deep in it, examines a page and no more. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { toIdKey } from '../../../shared/contract/ids.ts';
import type { Resource } from '../../../shared/contract/resource.ts';
import { reduce } from '../../../shared/contract/rules.ts';
import { reversed } from '../../../shared/contract/shapes.ts';
import type { JsonObject, Scalar } from '../../../shared/wire/values.ts';
import { toBranchQuery } from '../../../origin/store/mongo/read/branch-query.ts';
import { toQueryPlan } from '../../../origin/store/plan.ts';
import type { ListRequest } from '../../../origin/store/store.ts';
import { idOf, validArbitrary } from './arbitraries.ts';
import { inTime, put } from './harness.ts';
import { readAll } from './list-suite.ts';
import { type MongoPlace, openMongoPlace } from './mongo-place.ts';
import { naiveList } from './naive.ts';
import { everyThing } from './things.ts';

const limit = 5;
const equalValues: Readonly<Record<string, Scalar>> = {
  text: 'a', open: true, link: 'f'.repeat(24), size: 1, tags: 'a', sizes: 1,
  'grades.scores': 1,
};
const reader = { subject: 'ann', roles: ['reader'], claims: { tenant: 'ann' } };

describe.each(everyThing.map((resource) => [resource.name, resource] as const))('lists of %s', (_name, resource) => {
  const documents = new Map(
    fc
      .sample(validArbitrary(resource), { numRuns: 600, seed: 3 })
      .map((document, n) => [idOf(resource, n), document] as const),
  );
  let place: MongoPlace;
  beforeAll(async () => {
    place = await openMongoPlace({ resources: [resource] });
    await place.store.write([...documents].map(([id, document]) => put(resource, id, document)), inTime(10_000));
  });
  afterAll(() => place.remove());

  test.each(requestsOf(resource).map((request) => [JSON.stringify([Object.keys(request.equal), request.sort]), request] as const))(
    '%s',
    async (_title, request) => {
      const all = naiveList(resource, documents, { ...request, limit: 1_000 });
      expect((await readAll(place.store, resource, request)).map(({ document }) => document.id)).toEqual(all.map(({ id }) => id));
      const after = all[Math.floor(all.length / 2)]?.keys;
      for (const { examined, runs } of await costsOf(place, resource, { ...request, after })) {
        expect(examined).toBeLessThanOrEqual(limit + runs * besidesOfRun);
      }
    },
  );
});

/**
 * Entries of a run that are read and not shown: the one that waits in the merge for its turn, those behind skips (to
 * some servers a null is two points), and the one that ends the run.
 */
const besidesOfRun = 4;

function requestsOf(resource: Resource): readonly ListRequest[] {
  const id = toIdKey(resource, idOf(resource, 7)).value;
  return resource.shapes.flatMap(({ equal, sorts }) => sorts.flatMap((sort) => [sort, reversed(sort)]).map((sort) => ({
    equal: Object.fromEntries(equal.map((field) => [field, [field === 'id' ? id : (equalValues[field] ?? 'a')]])),
    range: undefined, sort, where: reduce(resource.rules.read, reader), after: undefined, limit,
  })));
}

/** The index entries that each branch read, and the runs of the index that its filter asks for. */
function costsOf(
  { foreign }: MongoPlace,
  resource: Resource,
  request: ListRequest,
): Promise<readonly { readonly examined: number; readonly runs: number }[]> {
  const plan = toQueryPlan(resource, request);
  const queries = plan.branches.flatMap(
    (branch) =>
      toBranchQuery({ resource, branch, sort: request.sort, interval: plan.interval, after: request.after, mayBeOdd: false }) ?? [],
  );
  return Promise.all(queries.map(async ({ filter, sort, hint }) => {
    const { executionStats } = await foreign
      .collection<JsonObject>(resource.collection)
      .find(filter, { sort, hint, limit })
      .explain('executionStats');
    return { examined: Number(executionStats.totalKeysExamined), runs: Array.isArray(filter['$or']) ? filter['$or'].length : 1 };
  }));
}
