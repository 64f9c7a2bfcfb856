/** A process that changes documents and runs the hook, until it is killed. Prints a line for each write that was acknowledged. */
import { openContext } from '../../../origin/open-context.ts';
import { mustSettings } from '../../../origin/settings.ts';
import type { Mutation } from '../../../origin/store/store.ts';
import { Random } from '../../support/random.ts';
import { testKeys } from '../../support/scripted-origin.ts';
import { holdLimits, leaseTimes, served, subjects, witness } from './declared.ts';

const [place = '', file = '', program = '', seed = '0'] = process.argv.slice(2);
const random = new Random(Number(seed));
const { store } = await openContext(
  mustSettings({
    TOMBOLO_KEYS: testKeys, TOMBOLO_LOG_LEVEL: 'silent',
    ...(place.startsWith('mongodb:') ? { MONGODB_URI: place } : { TOMBOLO_DATA_DIR: place }),
  }),
  served,
  { afterCommits: [witness(program, file)], leaseTimes, holdLimits, isOneOfSeveral: true },
);
for (;;) {
  const mutations = Array.from({ length: 1 + random.below(3) }, toMutation);
  await store.write(mutations, { deadline: Date.now() + 10_000 });
  process.stdout.write('acknowledged\n');
  if (random.chance(0.1)) await Bun.sleep(random.below(50));
}

function toMutation(): Mutation {
  const removes = random.chance(0.2);
  return {
    resource: subjects, id: `s${random.below(6)}`,
    decide: (before) => {
      if (removes) return before === undefined ? { kind: 'keep' } : { kind: 'remove' };
      return { kind: 'put', document: { n: Number(before?.value['n'] ?? 0) + 1 } };
    },
  };
}
