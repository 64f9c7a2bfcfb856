// Faults from a seed. Whether a command meets one, and which, is a pure function of the seed, the connection's ordinal
// (counted from its first command that is no hello) and the command's ordinal on it: the same run meets the same faults.
import { CODES } from './errors.ts';

export type CommandFault =
  | { kind: 'closeBefore' | 'closeAfter' }
  | { kind: 'error'; code: keyof typeof CODES } // refused before anything was done
  | { kind: 'concernError'; code: keyof typeof CODES } // done, and answered with a writeConcernError
  | { kind: 'delay'; ms: number };

const SEEDED = ['closeBefore', 'closeAfter', 'error', 'delay'] as const;

export type FaultPlan = { rate: number; kinds?: readonly (typeof SEEDED)[number][]; commands?: readonly string[]; delayMs?: number };

export type Faults = { decide(connection: number, ordinal: number, command: string): CommandFault | null };

export const NO_FAULTS: Faults = { decide: () => null };

export function seededFaults(seed: number, { rate, kinds = SEEDED, commands, delayMs = 20 }: FaultPlan): Faults {
  return {
    decide(connection, ordinal, command) {
      if (commands && !commands.includes(command)) return null;
      const draw = drawFor(seed, connection, ordinal);
      if (draw() >= rate) return null;
      const kind = kinds[Math.floor(draw() * kinds.length)] ?? 'closeBefore';
      return kind === 'delay' ? { kind, ms: delayMs } : kind === 'error' ? { kind, code: 'ShutdownInProgress' } : { kind };
    },
  };
}

// Numbers of one command of one connection.
export const drawFor = (seed: number, connection: number, ordinal: number): (() => number) =>
  seededRandom(Math.imul(seed, 0x9e3779b1) ^ Math.imul(connection + 1, 0x85ebca6b) ^ Math.imul(ordinal + 1, 0xc2b2ae35));

// mulberry32
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
