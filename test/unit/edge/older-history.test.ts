/** A log of changes in an older version: the images of each event are in the words of whoever asks, and nothing else changes. */
import { expect, test } from 'bun:test';
import { downReply } from '../../../edge/versions/reply.ts';
import { historyOperations } from '../../../shared/history/operations.ts';
import { served } from '../../../shared/resources/all.ts';
import { films } from '../../../shared/resources/films.ts';
import { dialectOf } from '../../../shared/versions/dialect.ts';

const [v1 = served.versions.current] = served.versions.all;

test('images go down, and what is not shown stays so', async () => {
  const operation = historyOperations.history;
  const dialect = dialectOf(served, { operation, resource: films }, v1);
  if (dialect === undefined) throw new Error('films are the same in v1');
  const of = (url: string) => ({ id: 'f', title: 'Heat', image: { url } });
  const event = { at: '2026-11-29T17:00:00.000Z', change: 'updated', operation: 'patch', request: 'req_1', by: { subject: 'sam' } };
  const page = { limit: 20, next: 'n' };
  const body = JSON.stringify({ data: [{ ...event, before: of('a'), after: of('b') }, { ...event, before: null, after: of('a') }], page });
  const asked = { route: { operation, resource: films, id: 'f' }, target: { path: '', query: '' } };
  const said = { status: 200, headers: { 'content-type': 'application/json' }, body, facts: undefined, stated: undefined };
  const reply = await downReply(said, dialect, asked);
  expect(JSON.parse(String(reply.body))).toEqual({
    data: [
      { ...event, before: { id: 'f', title: 'Heat', thumbnail: 'a' }, after: { id: 'f', title: 'Heat', thumbnail: 'b' } },
      { ...event, before: null, after: { id: 'f', title: 'Heat', thumbnail: 'a' } },
    ],
    page,
  });
});
