/** A process that writes documents of several authors, and sends their webhooks, until it is killed. A line for each write. */
import { openContext } from '../../../origin/open-context.ts';
import { mustSettings } from '../../../origin/settings.ts';
import { testKeys } from '../../support/scripted-origin.ts';
import { Random } from '../../support/random.ts';
import { authors, notes, own, served } from './declared.ts';

const [place = '', seed = '0'] = process.argv.slice(2);
const random = new Random(Number(seed));
const settings = mustSettings({
  TOMBOLO_KEYS: testKeys, TOMBOLO_LOG_LEVEL: 'silent', TOMBOLO_WEBHOOKS_LOOPBACK: '1',
  ...(place.startsWith('mongodb:') ? { MONGODB_URI: place } : { TOMBOLO_DATA_DIR: place }),
});
const { store } = await openContext(settings, served, { ...own, isOneOfSeveral: true });
for (;;) {
  const author = authors[random.below(authors.length)] ?? 'ada';
  const id = `${author}-${random.below(20)}`;
  await store.write([{
    resource: notes, id,
    decide: (before) => {
      if (before !== undefined && random.below(8) === 0) return { kind: 'remove' };
      return { kind: 'put', document: { author, n: Number(before?.value['n'] ?? 0) + 1 } };
    },
  }], { deadline: Date.now() + 60_000 });
  process.stdout.write('acknowledged\n');
  await Bun.sleep(random.below(8));
}
