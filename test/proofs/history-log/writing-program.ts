/** A process that changes logged documents by every door until it is killed. It prints a line for each answer. */
import { DirectOrigin } from '../../support/direct-origin.ts';
import { behind, logged } from '../../support/logged-contract.ts';
import { draw } from '../../support/logged-doors.ts';
import { Random } from '../../support/random.ts';

const [place = '', seed = '0'] = process.argv.slice(2);
const random = new Random(Number(seed));
const origin = await DirectOrigin.open(
  place.startsWith('mongodb:') ? { MONGODB_URI: place } : { TOMBOLO_DATA_DIR: place }, logged,
  { ...behind, jobTimes: { leaseMs: 300, idleMs: 200 }, isOneOfSeveral: true },
);
for (;;) {
  await Promise.all([draw(origin, random), draw(origin, random)]);
  process.stdout.write('answered\n');
}
