/** Fewer writes than `npm run soak` has, which does ten thousand. */
import { expect, test } from 'bun:test';
import { check } from '../check.ts';
import { runMemberKilled } from './member-killed.ts';

const writes = 1_500;

test('members that die during many writes and come back lose no write and no event, and double none', async () => {
  const { history, figures } = await runMemberKilled({ seed: 1, writes });
  expect(check(history).slice(0, 10)).toEqual([]);
  // And the last one, by which everybody knows that it has heard all.
  expect(history.commits).toHaveLength(writes + 1);
  for (const { heard } of history.subscribers) expect(new Set(heard.flatMap(({ id }) => id ?? [])).size).toBe(writes + 1);
  expect(figures.writes.unknown).toBeGreaterThan(0);
}, 120_000);
