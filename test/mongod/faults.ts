// Faults from a seed. Whether a command meets one, and which, is a pure function of the seed, the connection's ordinal
// (counted from its first command that is no hello) and the command's ordinal on it: the same run meets the same faults.
export type FaultKind = 'closeBefore' | 'closeAfter' | 'error' | 'delay';

export type FaultPlan = { rate: number; kinds?: readonly FaultKind[]; commands?: readonly string[]; delayMs?: number };

export type Faults = { decide(connection: number, ordinal: number, command: string): FaultKind | null; delayMs: number };

export const NO_FAULTS: Faults = { decide: () => null, delayMs: 0 };

const KINDS: readonly FaultKind[] = ['closeBefore', 'closeAfter', 'error', 'delay'];

export function seededFaults(seed: number, { rate, kinds = KINDS, commands, delayMs = 20 }: FaultPlan): Faults {
  return {
    delayMs,
    decide(connection, ordinal, command) {
      if (commands && !commands.includes(command)) return null;
      const draw = seededRandom(Math.imul(seed, 0x9e3779b1) ^ Math.imul(connection + 1, 0x85ebca6b) ^ Math.imul(ordinal + 1, 0xc2b2ae35));
      return draw() < rate ? kinds[Math.floor(draw() * kinds.length)] ?? null : null;
    },
  };
}

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
