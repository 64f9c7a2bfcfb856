/** Where a consumer begins that has no cursor yet: here, at the start of its process, and not when it comes to hold its lease. */
import { Fault } from '../../shared/wire/fault.ts';
import type { Context } from '../context.ts';
import { inTime } from './consumer.ts';

export async function beginHere(consumer: string, { store, feed }: Pick<Context, 'store' | 'feed'>): Promise<void> {
  if ((await store.cursor(consumer)) !== undefined) return;
  const cursor = { consumer, from: undefined, to: feed.through };
  await store.write([], { ...inTime(), atomic: true, cursor }).catch((cause: unknown) => {
    // Another process began.
    if (!(cause instanceof Fault && cause.reason === 'cursor_moved')) throw cause;
  });
}
