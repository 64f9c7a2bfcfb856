/**
 * A process that writes documents, takes the workflows on that follow, and cancels some, until it is killed. It prints a line for
 * each acknowledged write.
 */
import { openContext } from '../../../origin/context.ts';
import { mustSettings } from '../../../origin/settings.ts';
import { workflowIn } from '../../../origin/workflow-engine/stored-workflow.ts';
import { decided } from '../../../origin/workflow-engine/transitions.ts';
import { workflows } from '../../../shared/workflows/resource.ts';
import { testKeys } from '../../support/scripted-origin.ts';
import { Random } from '../../support/random.ts';
import { writeWithHooks } from '../../support/written-with-hooks.ts';
import { causing, served, subjects } from './declared.ts';

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

async function cancelOne(): Promise<void> {
  const sort = [{ field: 'made', descending: true }, { field: 'id', descending: true }];
  const request = { equal: { state: ['running', 'waiting'] }, range: undefined, sort, where: true, after: undefined, limit: 5 } as const;
  const found = random.pick((await context.store.list(workflows, request, inTime())).value);
  if (found === undefined) return;
  const { id } = found.document;
  await context.store.write([{
    resource: workflows, id,
    decide: (there) => {
      const cancelled = { outcome: { kind: 'cancelled' }, nowMs: Date.now() } as const;
      return (there && decided(flow, id, workflowIn(there), cancelled)) ?? { kind: 'keep' };
    },
  }], inTime());
}

for (;;) {
  const isWritten = await writeWithHooks(context, subjects, `s${random.below(6)}`, ({ n }) => ({ n: Number(n ?? 0) + 1 }));
  if (isWritten) process.stdout.write('acknowledged\n');
  if (random.chance(0.1)) await cancelOne();
  await Bun.sleep(random.below(150));
}
