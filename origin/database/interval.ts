/** `90s`, `15m`, `1h`, `1d`: how a command line says how often. */

export const intervalWords = 'takes a whole number of s, m, h or d, such as 15m, from 1s to 365d';

const unitsMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const intervalMsMax = 365 * unitsMs.d;

/** In milliseconds; `undefined` for what is none. */
export function intervalMsOf(text: string): number | undefined {
  const [, digits, unit] = /^([1-9]\d{0,8})([smhd])$/.exec(text) ?? [];
  if (digits === undefined || (unit !== 's' && unit !== 'm' && unit !== 'h' && unit !== 'd')) return undefined;
  const ms = Number(digits) * unitsMs[unit];
  return ms <= intervalMsMax ? ms : undefined;
}
