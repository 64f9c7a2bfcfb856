/** A short run of what `npm run soak` does with ten thousand writes. */
import { expect, test } from 'bun:test';
import { check } from '../check.ts';
import { runMemberKilled } from './member-killed.ts';

const writes = 1_500;

test('members that die during many writes and come back lose no write and no event, and double none', async () => {
  const { history, figures } = await runMemberKilled({ seed: 1, writes });
  expect(check(history).slice(0, 10)).toEqual([]);
  // One more is the last write, by which every subscriber knows that it has heard all.
  expect(history.commits).toHaveLength(writes + 1);
  for (const { heard } of history.subscribers) expect(new Set(heard.flatMap(({ id }) => id ?? [])).size).toBe(writes + 1);
  expect(figures.writes.unknown).toBeGreaterThan(0);
}, 120_000);
