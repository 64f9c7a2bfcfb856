/**
 * When each stage was entered. In development the answer says it (Server-Timing, W3C): a stage's time is what
 * passed until the next one began, and the last one's what passed until the answer was there.
 */
import type { Context } from 'hono';
import type { EdgeEnv } from './context.ts';

export function begin(c: Context<EdgeEnv>): void {
  // Asked of the binding itself: the settings are read by a later stage, and production pays for no clock.
  if ((c.env as { readonly TOMBOLO_ENV?: unknown }).TOMBOLO_ENV === 'development') c.set('timings', []);
}

export function note(c: Context<EdgeEnv>, stage: string): void {
  c.get('timings')?.push([stage, performance.now()]);
}

export function tellTimings(c: Context<EdgeEnv>, headers: Headers): void {
  const timings = c.get('timings');
  if (timings === undefined) return;
  const end = performance.now();
  const shown = timings.map(([stage, enteredAt], index) => `${stage};dur=${((timings[index + 1]?.[1] ?? end) - enteredAt).toFixed(2)}`);
  headers.set('server-timing', shown.join(', '));
}
