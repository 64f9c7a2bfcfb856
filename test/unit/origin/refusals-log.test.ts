/** What the origin logs of refusals: a client's mistakes as information, each once and without a stack; ours as errors. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { handle } from '../../../origin/pipeline.ts';
import { levelOf } from '../../../shared/wire/fault.ts';
import { served } from '../../../shared/resources/all.ts';
import { Pipeline } from '../../support/pipeline.ts';

let origin: Pipeline;
beforeAll(async () => void (origin = await Pipeline.on('sqlite', served)));
afterAll(() => origin[Symbol.asyncDispose]());

test.each([
  ['/v2/films?nope=1', {}, 400, 'query_invalid'],
  ['/v2/films', { method: 'POST', body: '{"title":1}' }, 422, 'document_invalid'],
  ['/v2/films/00000000-0000-7000-8000-000000000000', { method: 'PATCH', body: '{"year":2000}' }, 404, 'document_not_found'],
  ['/v2/places', { method: 'PUT' }, 405, 'method_not_allowed'],
] as const)('%s is one line of information', async (path, asking, status, reason) => {
  const before = origin.log.length;
  const { status: answered } = await origin.ask(path, asking);
  expect(answered).toBe(status);
  expect(origin.log.slice(before)).toEqual([expect.objectContaining({ level: 'info', reason, msg: 'request refused' })]);
  expect(origin.log.at(-1)).not.toHaveProperty('err');
});

test('each line counts the refusals of its reason and names the trace that the request is a part of', async () => {
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
  const ask = () => origin.ask('/v2/films?counted=1', { headers: { traceparent: `00-${trace}-00f067aa0ba902b7-01` } });
  await ask();
  const refused = Number(origin.log.at(-1)?.['refused']);
  await ask();
  expect(origin.log.at(-1)).toMatchObject({ reason: 'query_invalid', traceId: trace, refused: refused + 1 });
});

test('a request that nobody signed has no trace, whatever it says', async () => {
  const headers = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' };
  await handle(origin.context, new Request('http://origin.test/v2/films', { headers }), () => undefined);
  expect(origin.log.at(-1)).toMatchObject({ reason: 'hop_unsigned', requestId: 'none' });
  expect(origin.log.at(-1)).not.toHaveProperty('traceId');
});

test('no refusal of a client is an error, and a bound that did its work is a warning', () => {
  for (const reason of [
    'query_invalid', 'token_invalid', 'forbidden', 'limit_exceeded', 'precondition_failed', 'hop_replayed', 'not_cached',
  ] as const) {
    expect([reason, levelOf(reason)]).toEqual([reason, 'info']);
  }
  for (const reason of ['overloaded', 'store_busy'] as const) expect([reason, levelOf(reason)]).toEqual([reason, 'warn']);
  for (const reason of ['unknown', 'misconfigured', 'origin_unavailable', 'document_damaged'] as const) {
    expect([reason, levelOf(reason)]).toEqual([reason, 'error']);
  }
});
