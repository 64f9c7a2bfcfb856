/**
 * A collection of others that keeps no pre- and post-images, from their driver to a reader behind the edge (SEMANTICS §15):
 * what nobody can judge is told as `resync`, cached lists are new within the bound, and what a reader may not see is in neither.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { type Collection, MongoClient } from 'mongodb';
import { planOf } from '../../origin/store/mongo/install/plan.ts';
import { withTarget } from '../../origin/store/mongo/planning.ts';
import { served } from '../../shared/resources/all.ts';
import { eventually } from '../support/eventually.ts';
import { EventStream } from '../support/event-stream.ts';
import { MongoProgram } from '../support/mongo-program.ts';
import { promised } from '../support/promised.ts';
import { freshWithinMs, startWorld, type World } from '../support/whole-world.ts';

const film = '01890a5d-ac96-774b-bcce-b302099a8057';
const list = `/v2/reviews?film=${film}`;
const id = (n: number) => `01890a5d-ac96-774b-bcce-${n.toString(16).padStart(12, '0')}`;

interface Review {
  readonly _id: string;
  readonly film: string;
  readonly author: string;
  readonly status: 'draft' | 'published';
  readonly rating: number;
  readonly text: string;
  readonly createdAt: Date;
}

const review = (n: number, text: string, status: Review['status'] = 'published'): Review =>
  ({ _id: id(n), film, author: 'bob', status, rating: 4, text, createdAt: new Date(1_700_000_000_000 + n) });

let world: World;
let client: MongoClient;
let reviews: Collection<Review>;
beforeAll(async () => {
  world = await startWorld({ engine: 'mongodb' });
  if (!(world.foreign instanceof MongoProgram)) throw new Error('the world is not on MongoDB');
  const { uri } = world.foreign;
  client = new MongoClient(uri);
  reviews = client.db().collection('reviews');
  await world.origin.stop();
  await client.db().dropDatabase();
  await reviews.insertMany([review(1, 'Seen'), review(2, 'Secret draft', 'draft')]);
  // Somebody gives the commands for the indexes by hand, and not that for images.
  const steps = await withTarget({ uri, resources: served.stored, isWritten: false }, planOf);
  for (const { command } of steps) if (command['createIndexes'] === 'reviews') await client.db().command(command);
  await world.origin.start();
}, 60_000);
afterAll(async () => {
  await client.close();
  await world.close();
});

const textsOf = async () => {
  const { data } = JSON.parse((await world.request(list)).text) as { readonly data: readonly { readonly text: string }[] };
  return data.map(({ text }) => text);
};

async function follow(): Promise<EventStream> {
  const stream = new EventStream(await fetch(`${world.edge.url}/v2/reviews/changes`, { headers: { accept: 'text/event-stream' } }));
  await stream.heardFrom();
  return stream;
}

const [updated, hidden] = [{ $set: { text: 'Secret after' } }, { $set: { text: 'Secret now', status: 'draft' as const } }];

test.each([
  ['an update of what is seen', () => reviews.updateOne({ _id: id(1) }, { $set: { text: 'Seen again' } }), ['Seen again']],
  ['an update of what is not', () => reviews.updateOne({ _id: id(2) }, updated), ['Seen again']],
  ['an update that hides', () => reviews.updateOne({ _id: id(1) }, hidden), []],
  ['an update that shows', () => reviews.updateOne({ _id: id(1) }, { $set: { text: 'Back', status: 'published' } }), ['Back']],
  ['a replacement', () => reviews.replaceOne({ _id: id(1) }, review(1, 'Secret replaced', 'draft')), []],
  ['a removal of what is not seen', () => reviews.deleteOne({ _id: id(2) }), []],
] as const)('%s is told as resync, without content, and no list is older than the bound', async (_title, change, expected) => {
  await world.mustHit(list);
  const stream = await follow();
  await change();
  const heard = stream.next();
  const isNew = eventually('the list is new', async () => Bun.deepEquals(await textsOf(), [...expected]), { everyMs: 20 });
  expect(await promised(freshWithinMs, isNew)).toBe(true);
  const event = await heard;
  expect([event?.name, event?.data]).toEqual(['resync', '{}']);
  await stream.close();
}, 60_000);

test('what is inserted needs no images: it is told to whoever may see it, and to nobody else', async () => {
  const stream = await follow();
  await reviews.insertMany([review(3, 'Secret insert', 'draft'), review(4, 'Shown insert')]);
  const event = await stream.next();
  expect([event?.name, (JSON.parse(event?.data ?? '{}') as { readonly text?: string }).text]).toEqual(['created', 'Shown insert']);
  await stream.close();
});
