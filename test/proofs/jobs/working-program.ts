/** A process that writes documents and runs the jobs that follow, until it ends as kill -9 ends it: at a step, or at some moment. */
import { openContext } from '../../../origin/open-context.ts';
import type { OriginContext } from '../../../origin/origin-context.ts';
import { mustSettings } from '../../../origin/settings.ts';
import { StoreNotReady } from '../../../origin/store/not-ready.ts';
import { Fault } from '../../../shared/wire/fault.ts';
import { testKeys } from '../../support/scripted-origin.ts';
import { Random } from '../../support/random.ts';
import { writeWithHooks } from '../../support/written-with-hooks.ts';
import { causing, jobTimes, served, subjects } from './declared.ts';
import { anyStep, die, killAtStep } from './killed-step.ts';

const [place = '', file = '', stepsFile = '', seed = '0'] = process.argv.slice(2);
/** A step that does not come by then is none. */
const stepMsMax = 2_000;
const random = new Random(Number(seed));
const settings = mustSettings({
  TOMBOLO_KEYS: testKeys, TOMBOLO_LOG_LEVEL: 'silent',
  ...(place.startsWith('mongodb:') ? { MONGODB_URI: place } : { TOMBOLO_DATA_DIR: place }),
});
const context = await opened();
killAtStep(context.store, stepsFile, anyStep(random));
for (let isTimed = false; ;) {
  try {
    const isWritten = await writeWithHooks(context, subjects, `s${random.below(6)}`, ({ n }) => ({ n: Number(n ?? 0) + 1 }));
    if (!isWritten || isTimed) continue;
    setTimeout(() => die(stepsFile, 'any moment'), random.chance(0.25) ? random.below(3 * jobTimes.leaseMs) : stepMsMax);
    isTimed = true;
  } catch (thrown) {
    // Nor can anything be written.
    if (!(thrown instanceof Fault)) throw thrown;
  } finally {
    await Bun.sleep(random.below(20));
  }
}

/** While there is no primary nothing can be opened. */
async function opened(): Promise<OriginContext> {
  for (;;) {
    try {
      return await openContext(settings, served, { ...causing(file), jobTimes, isOneOfSeveral: true });
    } catch (thrown) {
      if (!(thrown instanceof Fault || (thrown instanceof StoreNotReady && thrown.isPassing))) throw thrown;
      await Bun.sleep(50);
    }
  }
}
