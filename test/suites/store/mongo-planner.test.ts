import { mongoPlanner } from '../../../origin/store/mongo/planner.ts';
import type { Planner } from '../../../origin/store/planned.ts';
import type { Resource } from '../../../shared/contract/resource.ts';
import { targetIn } from './applied.ts';
import { openMongoPlace } from './mongo-place.ts';
import { planSuite, type PlannedOptions } from './plan-suite.ts';
import { undoSuite } from './undo-suite.ts';

async function open(options: PlannedOptions) {
  const place = await openMongoPlace(options);
  return Object.assign(place, {
    planned<T>(resources: readonly Resource[], use: (planner: Planner) => Promise<T>): Promise<T> {
      return use(mongoPlanner(targetIn(place.foreign, resources)));
    },
    async membersOf(id: string): Promise<Buffer> {
      const found = await place.foreign.collection<{ _id: string }>('boats').findOne({ _id: id }, { raw: true });
      if (!(found instanceof Uint8Array)) throw new Error(`${id} is not there`);
      return Buffer.from(found).subarray(4, -1);
    },
  });
}

planSuite('mongodb', open);
undoSuite('mongodb', open);
