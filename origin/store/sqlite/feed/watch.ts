/**
 * The change feed of this engine: the log from a position on, pulled batch by batch. The row of the reader's
 * position must still be there with its token, and what follows must have no gap; otherwise the reader learns
 * that history is lost before it gets anything newer.
 */
import type { Resource } from '../../../../shared/contract/resource.ts';
import type { Position } from '../../../../shared/wire/position.ts';
import { storeLimits } from '../../limits.ts';
import type { ChangeBatch, HistoryLost, News } from '../../store.ts';
import type { Head } from './head.ts';
import { type ChangeLog, type LogEntry, toChange } from './log.ts';
import { parseOrder, positionIn } from './positions.ts';

export interface WatchSource {
  readonly log: ChangeLog;
  readonly head: Head;
  /** By name. */
  readonly resources: ReadonlyMap<string, Resource>;
}

export async function* watchLog(
  { log, head, resources }: WatchSource,
  from: Position,
  signal: AbortSignal,
): AsyncGenerator<ChangeBatch | HistoryLost, void, undefined> {
  const { epoch } = from;
  let at = parseOrder(from.order);
  while (!signal.aborted) {
    const readAtMs = performance.now();
    const found = at === undefined || epoch !== head.epoch ? undefined : log.after(at);
    // Another process began an epoch, of which this one has not heard yet.
    const isOver = found?.entries.some(({ kind }) => kind === 'start') === true;
    if (found === undefined || at === undefined || isOver) {
      head.refresh();
      yield { lost: true, head: head.position };
      return;
    }
    at = found.entries.at(-1) ?? at;
    const through = positionIn(epoch, at);
    yield { changes: toChanges(resources, epoch, found.entries), through, completeAtMs: found.more ? undefined : readAtMs };
    if (!found.more && head.position.order <= through.order) await head.news.wait(storeLimits.watermarkMs, signal);
  }
}

/** What the log has after `from`, at once. */
export function newsOf({ log, head, resources }: WatchSource, from: Position): News {
  const { position } = head;
  if (position.epoch === from.epoch && position.order === from.order) return { head: position, changes: [] };
  const at = from.epoch === position.epoch ? parseOrder(from.order) : undefined;
  const found = at === undefined ? undefined : log.after(at);
  return { head: position, changes: found === undefined || found.more ? undefined : toChanges(resources, from.epoch, found.entries) };
}

function toChanges(resources: ReadonlyMap<string, Resource>, epoch: string, entries: readonly LogEntry[]) {
  return entries.flatMap((entry) => toChange(resources, epoch, entry) ?? []);
}
