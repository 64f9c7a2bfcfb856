/** Uploads in an older version, by a socket and on both engines: whole or not, and what each row becomes (SEMANTICS §10, §19). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { toOlderCsv } from '../../../edge/versions/csv.ts';
import { documents } from '../../../shared/operations/documents.ts';
import { dialectOf } from '../../../shared/versions/dialect.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { ContractWorld } from '../../support/contract-world.ts';
import { eventually } from '../../support/eventually.ts';
import { plays, toVersioned } from '../../support/versioned-contract.ts';
import { engines } from '../../support/whole-world.ts';
import { endings, sendCut, sendings } from '../../proofs/hostile/raw-upload.ts';

const types = { NDJSON: 'application/x-ndjson', CSV: 'text/csv' } as const;

describe.each([...engines])('an upload in v1 on %s', (engine) => {
  let world: ContractWorld;
  beforeAll(async () => void (world = await ContractWorld.on(engine, toVersioned())));
  afterAll(() => world[Symbol.asyncDispose]());

  const upload = async (type: string, body: string, query = '') => {
    const answer = await world.request(`/v1/plays/import${query}`, { method: 'POST', headers: { 'content-type': type }, body });
    return answer.text.trimEnd().split('\n').map((line) => JSON.parse(line) as JsonObject);
  };
  const stored = (id: string) => world.origin.stored(plays, id);

  test('as CSV makes documents that have what v1 does not know, and leaves it to those that are there', async () => {
    expect(await upload('text/csv', 'id,title,thumbnail\nc1,"a, ""b""\n\nc",u\n\nc2,B,\n')).toMatchObject([{ summary: { imported: 2 } }]);
    expect(await stored('c1')).toMatchObject({ title: 'a, "b"\n\nc', image: { url: 'u' }, status: 'open' });
    await world.origin.put(plays, 'c2', { title: 'B', status: 'closed', note: 'n' });
    for (const how of ['merge', 'replace'] as const) {
      expect(await upload('text/csv', `title,id\n${how},c2\nNew,new-${how}\n`, `?onDuplicate=${how}`)).toMatchObject([
        { summary: { imported: 1, replaced: 1 } },
      ]);
      expect(await stored('c2')).toMatchObject({ title: how, status: 'closed', note: 'n' });
      expect(await stored(`new-${how}`)).toMatchObject({ status: 'open' });
    }
    const [refused, told] = await upload('text/csv', 'id,title\nc3\nc4,D\n');
    expect([refused, told]).toMatchObject([{ row: 1 }, { summary: { imported: 1, rejected: 1 } }]);
    const [foreign] = await upload('text/csv', 'id,title,status\nc5,E,closed\n');
    expect(foreign).toMatchObject({ code: 'document_invalid', errors: [{ at: '/status', detail: 'no such column' }] });
    const [otherwise] = await upload('text/csv', 'id,title,lines\nc6,F,"[{""name"":""a"",""cost"":1}]"\n');
    const detail = 'holds what this version calls otherwise; send NDJSON';
    expect(otherwise).toMatchObject({ code: 'document_invalid', errors: [{ at: '/lines', detail }] });
  });

  for (const [name, type] of Object.entries(types))
    for (const sending of sendings)
      test.each(endings.filter((one) => sending === 'chunks' || one !== 'wrong chunk'))(
        `${name} by ${sending} keeps no part of its last row: %s`, async (ending) => {
          const id = `${name}-${sending}-${ending.replace(' ', '-')}`;
          const [head, row] = name === 'CSV'
            ? ['id,title,thumbnail\n', (at: string) => `${id}${at},T,u`]
            : ['', (at: string) => `{"id":"${id}${at}","title":"T","thumbnail":"u"}`];
          const rows = Array.from({ length: 250 }, (_, index) => `${row(String(index))}\n`).join('');
          const stopped = () => world.origin.log.filter(({ msg }) => msg === 'import stopped').length;
          const before = stopped();
          const answer = await sendCut(world.url, {
            target: '/v1/plays/import', headers: [`Content-Type: ${type}`], body: `${head}${rows}${row('-last')}`, sending, ending,
          });
          const summaries = answer.body.split('\n').filter((line) => line.startsWith('{"summary"'));
          const told = summaries.map((line) => (JSON.parse(line) as JsonObject)['summary']);
          for (const summary of told) expect(summary).toMatchObject({ complete: false });
          await eventually('it has ended', () => stopped() > before);
          expect([await stored(`${id}0`), await stored(`${id}-last`)]).toEqual([expect.any(Object), undefined]);
        });
});

describe('rows of a CSV', () => {
  const served = toVersioned();
  const [v1 = served.versions.current] = served.versions.all;
  const translation = dialectOf(served, { operation: documents.import, resource: plays }, v1)?.input;
  if (translation === undefined) throw new Error('plays are the same in v1');

  test('have what v1 does not know in front of them, wherever a row may begin and however they are cut', () => {
    const field = fc.oneof(
      fc.constantFrom('', 'a', 'a"b', 'ä', '\ufeff'),
      fc.array(fc.constantFrom('a', ',', '\n', '\r\n', '""'), { maxLength: 4 }).map((parts) => `"${parts.join('')}"`),
      // A quote behind the closing one opens nothing.
      fc.constantFrom('"a"b', '"a"b"', '"a" "'),
    );
    const row = fc.array(field, { minLength: 2, maxLength: 3 }).map((fields) => fields.join());
    const end = fc.constantFrom('\n', '\r\n', '\n\n', '\r\n\r\n');
    const rows = fc.array(fc.tuple(row, end), { maxLength: 5 });
    return fc.assert(fc.asyncProperty(rows, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), async (given, sizes) => {
      const all = new TextEncoder().encode(`title,thumbnail\n${given.map((parts) => parts.join('')).join('')}`);
      let [at, turn] = [0, 0];
      const pieces = await toOlderCsv({
        isCancelled: false, cancel: async () => undefined,
        next: async () => (at < all.length ? all.slice(at, (at += sizes[turn++ % sizes.length] ?? 1)) : undefined),
      }, translation);
      const out: Uint8Array[] = [];
      for (let piece = await pieces.next(); piece !== undefined; piece = await pieces.next()) out.push(piece);
      const expected = given.map(([text, lineEnd]) => `"open",${text}${lineEnd}`).join('');
      expect(Buffer.concat(out).toString()).toBe(`"status",title,"image.url"\n${expected}`);
    }), { numRuns: 300 });
  });
});
