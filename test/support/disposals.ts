/** What a test opened and nobody else closes: closed after each test of the file, the last one first. */
import { afterEach } from 'bun:test';

export function disposedAfterEach(): (() => unknown)[] {
  const disposals: (() => unknown)[] = [];
  afterEach(async () => {
    for (const dispose of disposals.splice(0).reverse()) await dispose();
  });
  return disposals;
}
