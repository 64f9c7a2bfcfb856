import { snapshotTime } from '../driver-internals.ts';
import { toTransactionOptions } from '../options.ts';
import type { Operation } from '../schema.ts';
import { argument, type Call, type Handlers } from './call.ts';

export const sessionOperations: Handlers = {
  startTransaction: async call => session(call).startTransaction(toTransactionOptions(call.args)),
  commitTransaction: call => session(call).commitTransaction(),
  abortTransaction: call => session(call).abortTransaction(),
  endSession: call => session(call).endSession(),
  getSnapshotTime: async call => snapshotTime(session(call)),
  withTransaction: async call => {
    const { callback: _, ...options } = call.args;
    const operations = argument<readonly Operation[]>(call.args, 'callback');
    await session(call).withTransaction(async () => {
      for (const operation of operations) await call.run(operation);
    }, toTransactionOptions(options));
  },
};

const session = ({ entities, object }: Call) => entities.session(object);
