/**
 * Faults of single commands: by rate, each a pure function of the seed, the connection and the command's ordinal on
 * it; and kinds of command that fail for a while.
 */
import { type CommandFault, drawFor, type Faults } from '../../../mongod/mongod.ts';

export interface CommandFaultRates {
  readonly seed: number;
  /** The share of commands that meet a fault. */
  readonly rate: number;
}

/** What each command may be refused with; a mongod in trouble says all of these. */
const codes: Readonly<Record<string, readonly (CommandFault & { kind: 'error' })['code'][]>> = {
  getMore: ['CursorNotFound', 'InterruptedDueToReplStateChange', 'HostUnreachable', 'RetryChangeStream', 'PrimarySteppedDown'],
};
const codesOfOthers = [
  'ShutdownInProgress', 'PrimarySteppedDown', 'NotWritablePrimary', 'InterruptedDueToReplStateChange', 'ExceededTimeLimit',
  'HostUnreachable', 'NetworkTimeout',
] as const;
const concernCodes = ['PrimarySteppedDown', 'InterruptedDueToReplStateChange', 'WriteConcernTimeout'] as const;
/** A commit that nobody answers twice is what a careless retry would do again. */
const commitFactor = 4;
/** Delays: most are short, some outlast every deadline of the clients. */
const delaysMs = [2, 5, 10, 30, 300, 1_100] as const;

export class CommandFaults implements Faults {
  readonly #rates: CommandFaultRates;
  /** Whether commands fail: none does while origins open, nor at the end. */
  isOn = false;
  /** Commands that all fail as on a member that is shutting down. */
  blocked: readonly string[] = [];
  count = 0;

  constructor(rates: CommandFaultRates) {
    this.#rates = rates;
  }

  decide(connection: number, ordinal: number, command: string): CommandFault | null {
    const fault: CommandFault | null = this.blocked.includes(command)
      ? { kind: 'error', code: 'InterruptedAtShutdown' }
      : this.#drawn(connection, ordinal, command);
    if (fault !== null) this.count++;
    return fault;
  }

  #drawn(connection: number, ordinal: number, command: string): CommandFault | null {
    if (!this.isOn) return null;
    const draw = drawFor(this.#rates.seed, connection, ordinal);
    if (draw() >= this.#rates.rate * (command === 'commitTransaction' ? commitFactor : 1)) return null;
    const of = <T>(from: readonly T[]): T => from[Math.floor(draw() * from.length)] as T;
    const kind = of([
      'closeBefore',
      'closeAfter',
      'error',
      'delay',
      ...(command === 'commitTransaction' ? ['concernError' as const] : []),
    ] as const);
    if (kind === 'error') return { kind, code: of(codes[command] ?? codesOfOthers) };
    if (kind === 'concernError') return { kind, code: of(concernCodes) };
    return kind === 'delay' ? { kind, ms: of(delaysMs) } : { kind };
  }
}
