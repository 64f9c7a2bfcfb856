// What a test does at an exact moment: when a command has reached a member and nothing is done yet, or when it is done and
// its answer not sent. If the member is killed there, nobody ever gets the answer.
import type { HistoryEvent } from './history.ts';

export type Moment = { command: string; when: 'before' | 'after'; skip?: number };

type Awaited = Moment & { skip: number; act: (event: HistoryEvent) => void | Promise<void>; settle: PromiseWithResolvers<void> };

export class Encounters {
  private readonly awaited = new Set<Awaited>();

  // Acts once, at the command after `skip` others of its name; a command meets one waiter alone. Resolves when `act` has ended.
  at({ command, when, skip = 0 }: Moment, act: Awaited['act']): Promise<void> {
    const settle = Promise.withResolvers<void>();
    this.awaited.add({ command, when, skip, act, settle });
    return settle.promise;
  }

  async meet(when: Moment['when'], event: HistoryEvent): Promise<void> {
    for (const met of [...this.awaited]) {
      if (met.when !== when || met.command !== event.name || met.skip-- > 0) continue;
      this.awaited.delete(met);
      try {
        await met.act(event);
        met.settle.resolve();
      } catch (error) {
        met.settle.reject(error);
      }
      return;
    }
  }
}
