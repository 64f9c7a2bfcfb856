/** What a hook after a commit may be: mistakes that refuse the start, and what the compiler takes. */
import { describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { afterCommit, type AfterCommit } from '../../../origin/after-commit/after-commit.ts';
import { mustAfterCommits } from '../../../origin/after-commit/checks.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';

const declared = { id: { kind: 'string', format: z.string() }, shapes: { all: {} }, rules: { read: anyone, write: anyone } } as const;
const posts = resource({
  ...declared, name: 'posts',
  schema: z.object({ by: z.string(), text: z.string().optional(), mailedAt: z.string().optional(), slug: z.string().optional() }),
});
const writers = resource({ ...declared, name: 'writers', schema: z.object({ posts: z.int(), name: z.string().optional() }) });
const absent = resource({ ...declared, name: 'absent', schema: z.object({}) });
const served = contract(posts, writers);
const resync = () => [];

describe('a start is refused', () => {
  const bare = afterCommit({ name: 'bare', of: posts, handle: () => [], resync });
  const hook = (name: string, own: Partial<AfterCommit>): AfterCommit => ({ ...bare, name, ...own });
  const refusal = (...hooks: AfterCommit[]) => {
    try {
      mustAfterCommits(hooks, served);
      return '';
    } catch (thrown) {
      return thrown instanceof Error ? thrown.message : '';
    }
  };

  test('by each mistake, in a line that names the hook and the key', () => {
    expect(refusal(hook('Twice', {}), hook('Twice', {}))).toContain('hook "Twice": more than one has this name');
    expect(refusal(hook('No Name', {}))).toContain('hook "No Name": name: must be');
    expect(refusal(hook('a', { of: absent }))).toBe('origin/hooks/all.ts: hook "a": of: "absent" is not served');
    expect(refusal(hook('a', { writes: [absent] }))).toContain('writes: "absent" is not served');
    expect(refusal(hook('a', { writes: [posts] }))).toContain('"marks" says');
    expect(refusal(hook('a', { marks: ['rev'] }))).toContain('marks: "rev" is no field of "posts"');
    expect(refusal(hook('a', { fetches: ['https://x'] }))).toContain('fetches: "https://x" is no name of a host');
    expect(refusal({ ...hook('a', {}), wirtes: [] } as AfterCommit)).toContain('wirtes: unknown key');
  });

  test('by hooks that set one another off in a circle, and by no others', () => {
    const there = hook('there', { writes: [writers] });
    const back = hook('back', { of: writers, writes: [posts] });
    const line = 'origin/hooks/all.ts: hook "there": writes in a circle: there → back → there, which would never end';
    expect(refusal(there, back)).toBe(line);
    expect(refusal(there, hook('ends', { of: writers }))).toBe('');
    expect(refusal(hook('one', { marks: ['mailedAt'] }), hook('other', { marks: ['slug'] }))).toBe('');
    const fromMark = refusal(hook('marking', { marks: ['slug'] }), there, hook('home', { of: writers, writes: [posts] }));
    expect(fromMark).toContain('there → home → there');
  });
});

test('the compiler types a hook by what it declares', () => {
  afterCommit({
    name: 'typed', of: posts, writes: [writers], marks: ['mailedAt'], resync,
    handle: ({ id, after }, call) => {
      const text: string | undefined = after?.text;
      call.merge(writers, text ?? '', (seen) => ({ posts: seen.posts ?? 0 }));
      // @ts-expect-error a field that is not marked
      call.mark(id, () => ({ text: 'x' }));
      // @ts-expect-error a mark of another type
      call.mark(id, () => ({ mailedAt: 7 }));
      // @ts-expect-error its own resource, which it only marks
      call.remove(posts, id);
      return [];
    },
  });
  afterCommit({
    name: 'bare', of: posts, resync,
    // @ts-expect-error a resource that it does not declare
    handle: (_event, call) => [call.create(writers, {})],
  });
  // @ts-expect-error a hook that says nothing of changes that it missed
  afterCommit({ name: 'deaf', of: posts, handle: () => [] });
  // @ts-expect-error an answer that is no change
  afterCommit({ name: 'odd', of: posts, resync, handle: () => [{ text: 'x' }] });
  // @ts-expect-error a mark that the schema does not name
  afterCommit({ name: 'mark', of: posts, marks: ['colour'], resync, handle: () => [] });
});
