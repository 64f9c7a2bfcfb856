/** What is asked of the map at random beside the slow reading of the same sentences, on both engines (SEMANTICS §7). */
import { expect, test } from 'bun:test';
import { anonymous } from '../../../shared/wire/principal.ts';
import { randomQuestion, randomStation, stations, whyWrong } from '../../support/map-stations.ts';
import { Random } from '../../support/random.ts';
import { editor } from '../../support/text-notes.ts';
import { TextWorld } from '../../support/text-world.ts';
import { engines } from '../../support/whole-world.ts';

const writing = { document: randomStation, changed: ['at', 'open'] } as const;
const filters = ['', '&kind=bus', '&lines=1', '&kind=bus&open=true'];

test.each([...engines])('lists of the map on %s find what the slow reading finds', async (engine) => {
  const seed = Date.now() % 1_000_000;
  const random = new Random(seed);
  await using world = await TextWorld.on(engine, stations, writing);
  for (const filter of filters) await world.untilServed(`near=0,0&distance=1${filter}`);
  // Enough for cells to be cut, and many at one point.
  const many = Array.from({ length: 600 }, (_, index) => ({ id: `m${index}`, document: randomStation(random) }));
  const { store } = world.origin.context;
  for (let start = 0; start < many.length; start += 200) {
    const puts = many.slice(start, start + 200).map(({ id, document }) => ({
      resource: stations, id, decide: () => ({ kind: 'put' as const, document }),
    }));
    await store.write(puts, { deadline: Date.now() + 60_000 });
  }
  const all = many.map(({ id, document }) => ({ id, ...document }));
  for (let round = 0; round < 20; round++) {
    const isForeign = random.chance(0.4);
    for (let writes = 1 + random.below(4); writes > 0; writes--) await (isForeign ? world.foreignWrite(random) : world.ownWrite(random));
    await Bun.sleep(1);
    if (isForeign) await world.settled();
    const documents = [...all, ...world.model.values()];
    for (let asked = 0; asked < 3; asked++) {
      const question = randomQuestion(random, [editor, anonymous]);
      const found = await world.find(question.query, question.principal, random.pick([20, 60, 200]));
      expect([seed, round, question.query, whyWrong(documents, question, found ?? ['none was served'])])
        .toEqual([seed, round, question.query, undefined]);
    }
  }
}, 180_000);
