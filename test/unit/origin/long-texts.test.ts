/** Pages that end at texts longer than a cursor (SEMANTICS §5): nothing behind them is lost, and nothing is shown twice. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { limits } from '../../../shared/wire/limits.ts';
import type { Json } from '../../../shared/wire/values.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { eventually } from '../../support/eventually.ts';
import { engines } from '../../support/whole-world.ts';

const notes = resource({
  name: 'notes', id: { kind: 'string', format: z.string() },
  schema: z.object({ text: z.string(), shelf: z.string(), size: z.number(), tags: z.array(z.string()) }),
  rules: { read: anyone, write: anyone },
  shapes: {
    all: { sort: ['text', '-size,text', 'shelf,text'], beside: ['size'], examined: 6 }, ofTag: { equal: ['tags'] },
    found: { text: ['shelf'], sort: ['text'] }, folded: { prefix: 'text', folded: ['text'], sort: ['text'] },
  },
});
const ids = ['a', 'b', 'c', 'd', 'e'];
/** Alike up to the last letter, and longer with it than a page of cursors. */
const long = (id: string) => '映'.repeat(6_000) + id;
const documentOf = (id: string) => ({
  text: id === 'c' ? 'Short' : long(id), shelf: 'Shelf'.padEnd(1_200, 'é'), size: id < 'c' ? 1 : 2, tags: [long(id), 'short'],
});

describe.each([...engines])('on %s', (engine) => {
  let origin: DirectOrigin;
  beforeAll(async () => {
    origin = await DirectOrigin.on(engine, contract(notes));
    for (const id of ids) await origin.put(notes, id, documentOf(id));
    await eventually('entries are made', async () => (await list('?q=shelf')).outcome === 'found');
  });
  afterAll(() => origin[Symbol.asyncDispose]());

  const list = (query: string) => origin.ask('list', notes, { query });
  const told = ({ json }: Awaited<ReturnType<typeof list>>) =>
    (json['data'] as readonly Json[]).map((each) => (typeof each === 'string' ? each : String((each as { readonly id: Json }).id)));

  async function pagesOf(query: string, way: 'next' | 'prev') {
    const all: string[] = [];
    for (let more = way === 'prev' ? '&page=last' : ''; ; ) {
      const answer = await list(`${query}&limit=1${more}`);
      expect([query, answer.outcome, answer.detail]).toEqual([query, 'found', undefined]);
      if (way === 'next') all.push(...told(answer));
      else all.unshift(...told(answer));
      const after = answer.pages?.[way];
      if (after === undefined) return all;
      expect(after.length).toBeLessThanOrEqual(limits.cursorCharactersMax);
      more = `&after=${after}`;
    }
  }

  test('hold everything once, in either direction and in every order', async () => {
    for (const query of [
      'sort=text', 'sort=-text', 'sort=-size,text', 'sort=shelf,text', 'sort=text&size[ne]=1', 'q=shel', 'text[prefix]=映',
      'distinct=text', 'distinct=text&sort=-text', 'distinct=shelf', 'distinct=tags', 'distinct=tags&sort=-tags',
    ]) {
      const whole = told(await list(`?${query}&limit=50`));
      expect([query, await pagesOf(`?${query}`, 'next')]).toEqual([query, whole]);
      expect([query, await pagesOf(`?${query}`, 'prev')]).toEqual([query, whole]);
    }
  });

  test('are gone on from by an export', async () => {
    const next = (await list('?sort=text&limit=2')).pages?.next;
    const { outcome, text } = await origin.ask('export', notes, { query: `?sort=text&after=${next}` });
    expect(outcome).toBe('streaming');
    expect([...text.matchAll(/"id":"(\w)"/g)].map(([, id]) => id)).toEqual(['b', 'd', 'e']);
  });

  test('are gone on from while the document has its text, and no longer', async () => {
    const next = (await list('?sort=text&limit=2')).pages?.next;
    await origin.put(notes, 'a', { ...documentOf('a'), size: 9 });
    expect(told(await list(`?sort=text&limit=2&after=${next}`))).toEqual(['b', 'd']);
    for (const change of [() => origin.put(notes, 'a', documentOf('x')), () => origin.ask('remove', notes, { id: 'a' })]) {
      await change();
      const { outcome, detail } = await list(`?sort=text&limit=2&after=${next}`);
      expect([outcome, detail]).toEqual(['cursor_invalid', 'after: the text that its page ended at is not there any more']);
    }
    await origin.put(notes, 'a', documentOf('a'));
    expect(told(await list(`?sort=text&limit=2&after=${next}`))).toEqual(['b', 'd']);
  });
});
