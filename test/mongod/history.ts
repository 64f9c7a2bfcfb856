// What happened, in order: every command with its fate, and every event of the replica set. Bounded: the oldest go first.
export type HistoryEvent = {
  at: number;
  member: number;
  kind: 'command' | 'fault' | 'member' | 'rollback' | 'election';
  connection?: number;
  ordinal?: number; // the command's number on its connection
  name?: string;
  namespace?: string;
  session?: string;
  txnNumber?: string;
  outcome?: string; // 'ok', 'closed', or the error's code and name
  ms?: number;
  detail?: string;
};

const EVENTS_MAX = 50_000;

export class History {
  readonly events: HistoryEvent[] = [];

  add(event: HistoryEvent): void {
    this.events.push(event);
    if (this.events.length > EVENTS_MAX * 1.2) this.events.splice(0, this.events.length - EVENTS_MAX);
  }

  commands(name?: string): HistoryEvent[] {
    return this.events.filter(event => event.kind === 'command' && (name === undefined || event.name === name));
  }

  toString(): string {
    return this.events.map(event => JSON.stringify(event)).join('\n');
  }
}
