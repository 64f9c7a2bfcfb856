/**
 * When each stage was entered. In development the answer says it (Server-Timing, W3C): a stage's time is what
 * passed until the next one began, and the last one's what passed until the answer was there.
 */
import type { Arrival } from './arrival.ts';

export function note({ timings }: Arrival, stage: string): void {
  timings?.push([stage, performance.now()]);
}

export function tellTimings({ timings }: Arrival, headers: Headers): void {
  if (timings === undefined) return;
  const end = performance.now();
  const shown = timings.map(([stage, enteredAt], index) => `${stage};dur=${((timings[index + 1]?.[1] ?? end) - enteredAt).toFixed(2)}`);
  headers.set('server-timing', shown.join(', '));
}
