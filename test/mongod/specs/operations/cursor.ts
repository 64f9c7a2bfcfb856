import { AbstractCursor, ChangeStream } from 'mongodb';
import type { Call, Handlers } from './call.ts';

/** Operations on a cursor or a change stream that an earlier operation saved. */
export const cursorOperations: Handlers = {
  iterateUntilDocumentOrError: call => iterable(call).next(),
  iterateOnce: call => iterable(call).tryNext(),
  close: async call => iterable(call).close(),
};

function iterable({ entities, object }: Call): Pick<ChangeStream, 'next' | 'tryNext'> & { close(): Promise<void> } {
  const value = entities.get(object);
  if (value instanceof ChangeStream || value instanceof AbstractCursor) return value;
  throw new Error(`${object} is neither a cursor nor a change stream`);
}
