/** Searches at random beside the slow reading of the same sentences, while Tombolo and another program write (SEMANTICS §1, §7). */
import { expect, test } from 'bun:test';
import { touchedOf } from '../../../origin/purge/touched.ts';
import { dependenciesOfList, toBucket } from '../../../shared/contract/dependencies.ts';
import { parseListQuery } from '../../../shared/contract/query.ts';
import { changesTo } from '../../suites/store/read-changes.ts';
import { Random } from '../../support/random.ts';
import { naiveSearch, randomSearch, searchers, textNotes } from '../../support/text-notes.ts';
import { TextWorld } from '../../support/text-world.ts';
import { engines } from '../../support/whole-world.ts';

test.each([...engines])('searches on %s find what the slow reading finds', async (engine) => {
  const seed = Date.now() % 1_000_000;
  const random = new Random(seed);
  await using world = await TextWorld.on(engine);
  for (const query of ['q=a', 'title=a', 'q=a&about.lang=en', 'tags=a', 'title[prefix]=a']) await world.untilServed(query);
  for (let round = 0; round < 60; round++) {
    const isForeign = random.chance(0.4);
    for (let writes = 1 + random.below(6); writes > 0; writes--) await (isForeign ? world.foreignWrite(random) : world.ownWrite(random));
    // Reads of one turn of the event loop are of one state.
    await Bun.sleep(1);
    const asked = Array.from({ length: 6 }, () => ({ query: randomSearch(random), principal: random.pick(searchers) }));
    const documents = [...world.model.values()];
    if (isForeign) {
      // What another program wrote may be missing for a while; what is shown is right at once.
      for (const { query, principal } of asked) {
        const [now, wanted] = [await world.page(`?${query}`, principal), naiveSearch(documents, query, principal)];
        expect([seed, round, query, now?.ids]).toEqual([seed, round, query, wanted?.filter((id) => now?.ids.includes(id) === true)]);
      }
      await world.settled();
    }
    for (const { query, principal } of asked) {
      const [now, wanted] = [await world.find(query, principal, 1 + random.below(7)), naiveSearch(documents, query, principal)];
      expect([seed, round, query, principal.subject, now]).toEqual([seed, round, query, principal.subject, wanted]);
    }
  }
}, 120_000);

test.each([...engines])('a change that alters the answer of a search on %s touches what the answer depends on', async (engine) => {
  const seed = Date.now() % 1_000_000;
  const random = new Random(seed);
  await using world = await TextWorld.on(engine);
  await world.untilServed('title[prefix]=a');
  const { store, contract } = world.origin.context;
  const asked = Array.from({ length: 20 }, () => ({ query: randomSearch(random), principal: random.pick(searchers) }))
    .filter(({ query, principal }) => naiveSearch([], query, principal) !== undefined);
  const answers = () => Promise.all(asked.map(({ query, principal }) => world.page(`?${query}`, principal)));
  let altered = 0;
  const compare = async (before: Answers): Promise<Answers> => {
    const [after, to] = [await answers(), await store.head()];
    for (const [index, { query }] of asked.entries()) {
      const [{ readAt, ...shown }, { readAt: _now, ...now }] = [mustBe(before[index]), mustBe(after[index])];
      if (Bun.deepEquals(shown, now)) continue;
      altered++;
      const touched = (await changesTo(store, readAt, to)).flatMap((change) => touchedOf(contract, change) ?? []);
      const buckets = dependenciesOfList(textNotes, parseListQuery(textNotes, `?${query}`)).flatMap((each) => each.buckets);
      const isTouched = touched.some(({ resource, keys }) =>
        resource === textNotes.name && (keys === undefined || [...keys].some((key) => buckets.includes(toBucket(key)))));
      expect([`seed ${seed}: ${query}`, isTouched]).toEqual([`seed ${seed}: ${query}`, true]);
    }
    return after;
  };
  for (let round = 0; round < 60 || (altered <= 20 && round < 300); round++) {
    const before = await answers();
    await (random.chance(0.6) ? world.foreignWrite(random) : world.ownWrite(random));
    await Bun.sleep(1);
    // The embedded store looks at once for what other programs have committed, as it does for answers that are kept.
    store.news?.since(store.news.head());
    const between = await compare(before);
    // The entries of what another program wrote come after it, and alter answers once more.
    await Bun.sleep(60);
    await compare(between);
  }
  expect(altered).toBeGreaterThan(20);
}, 120_000);

type Answers = readonly Awaited<ReturnType<TextWorld['page']>>[];

function mustBe<T>(page: T | undefined): T {
  if (page === undefined) throw new Error('a search was refused');
  return page;
}
