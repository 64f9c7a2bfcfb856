/** A process that changes documents and makes rows of them by one declaration, until it is killed. A line for each write. */
import { openContext } from '../../../origin/open-context.ts';
import { mustSettings } from '../../../origin/settings.ts';
import { testKeys } from '../../support/scripted-origin.ts';
import { Random } from '../../support/random.ts';
import { books, ownOf, served, shelves } from './declared.ts';

const [place = '', seed = '0', declaration = ''] = process.argv.slice(2);
const random = new Random(Number(seed));
const settings = mustSettings({
  TOMBOLO_KEYS: testKeys, TOMBOLO_LOG_LEVEL: 'silent',
  ...(place.startsWith('mongodb:') ? { MONGODB_URI: place } : { TOMBOLO_DATA_DIR: place }),
});
const { store } = await openContext(settings, served, { ...ownOf(declaration), isOneOfSeveral: true });
for (;;) {
  const document = { shelf: `s${random.below(shelves)}`, pages: random.below(500) };
  await store.write([{
    resource: books, id: `b${random.below(200)}`,
    decide: (before) => (before !== undefined && random.below(6) === 0 ? { kind: 'remove' } : { kind: 'put', document }),
  }], { deadline: Date.now() + 60_000 });
  process.stdout.write('acknowledged\n');
  await Bun.sleep(random.below(8));
}
