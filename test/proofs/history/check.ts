/** The whole checker: pure, so that hand-made histories show what it catches. */
import { checkEvents } from './check-events.ts';
import { checkReads } from './check-reads.ts';
import { checkWrites } from './check-writes.ts';
import type { History, Violation } from './history.ts';

export function check(history: History): readonly Violation[] {
  return [...checkWrites(history), ...checkReads(history), ...checkEvents(history)];
}
