/**
 * A process that writes documents, takes the workflows on that follow, cancels some and has some go on anew from a step, until it is
 * killed. It prints a line for each acknowledged write.
 */
import { openContext } from '../../../origin/open-context.ts';
import { mustSettings } from '../../../origin/settings.ts';
import type { Outcome } from '../../../origin/workflow-engine/advance.ts';
import { workflowIn } from '../../../origin/workflow-engine/stored-workflow.ts';
import { decided } from '../../../origin/workflow-engine/transitions.ts';
import { workflows, type WorkflowState } from '../../../shared/workflows/resource.ts';
import { Fault } from '../../../shared/wire/fault.ts';
import { testKeys } from '../../support/scripted-origin.ts';
import { Random } from '../../support/random.ts';
import { writeWithHooks } from '../../support/written-with-hooks.ts';
import { acting, causing, served, subjects } from './declared.ts';

const [place = '', file = '', seed = '0'] = process.argv.slice(2);
const random = new Random(Number(seed));
const { flow, ...own } = causing(file, random.fork());
const context = await openContext(
  mustSettings({
    TOMBOLO_KEYS: testKeys, TOMBOLO_LOG_LEVEL: 'silent',
    ...(place.startsWith('mongodb:') ? { MONGODB_URI: place } : { TOMBOLO_DATA_DIR: place }),
  }),
  served,
  { ...own, isOneOfSeveral: true },
);
const inTime = () => ({ deadline: Date.now() + 10_000 });

/** Of one of the newest in those states. */
async function tellOne(states: readonly WorkflowState[], outcome: Outcome): Promise<void> {
  const sort = [{ field: 'made', descending: true }, { field: 'id', descending: true }];
  const request = { equal: { state: states }, range: undefined, sort, where: true, after: undefined, limit: 5 } as const;
  const found = random.pick((await context.store.list(workflows, request, inTime())).value);
  if (found === undefined) return;
  const { id } = found.document;
  await context.store.write([{
    resource: workflows, id,
    decide: (there) => (there && decided(flow, id, workflowIn(there), { outcome, nowMs: Date.now() })) ?? { kind: 'keep' },
  }], inTime());
}

for (;;) {
  try {
    const isWritten = await writeWithHooks(context, subjects, `s${random.below(6)}`, ({ n }) => ({ n: Number(n ?? 0) + 1 }));
    if (isWritten) process.stdout.write('acknowledged\n');
    if (random.chance(0.1)) await tellOne(['running', 'waiting'], { kind: 'cancelled' });
    if (random.chance(0.05)) await tellOne(['running', 'waiting', 'done'], { kind: 'retried', from: random.pick(acting) });
  } catch (thrown) {
    // A busy machine answers too late; whether it was written, what was committed says.
    if (!(thrown instanceof Fault)) throw thrown;
  }
  await Bun.sleep(random.below(150));
}
