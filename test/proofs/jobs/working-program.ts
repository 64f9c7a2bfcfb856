/** A process that writes documents and runs the jobs that follow, until it is killed. It prints a line for each acknowledged write. */
import { openContext } from '../../../origin/context.ts';
import { mustSettings } from '../../../origin/settings.ts';
import { testKeys } from '../../support/scripted-origin.ts';
import { Random } from '../../support/random.ts';
import { writeWithHooks } from '../../support/written-with-hooks.ts';
import { causing, jobTimes, served, subjects } from './declared.ts';

const [place = '', file = '', seed = '0'] = process.argv.slice(2);
const random = new Random(Number(seed));
const context = await openContext(
  mustSettings({
    TOMBOLO_KEYS: testKeys, TOMBOLO_LOG_LEVEL: 'silent',
    ...(place.startsWith('mongodb:') ? { MONGODB_URI: place } : { TOMBOLO_DATA_DIR: place }),
  }),
  served,
  { ...causing(file), jobTimes },
);
for (;;) {
  await writeWithHooks(context, subjects, `s${random.below(6)}`, ({ n }) => ({ n: Number(n ?? 0) + 1 }));
  process.stdout.write('acknowledged\n');
  await Bun.sleep(random.below(20));
}
