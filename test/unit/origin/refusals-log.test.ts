/** What the origin logs of refusals: a client's mistakes as information, each once and without a stack; ours as errors. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { levelOf } from '../../../shared/wire/fault.ts';
import { served } from '../../../shared/resources/all.ts';
import { Pipeline } from '../../support/pipeline.ts';

let origin: Pipeline;
beforeAll(async () => void (origin = await Pipeline.on('sqlite', served)));
afterAll(() => origin[Symbol.asyncDispose]());

test.each([
  ['/v1/films?nope=1', {}, 400, 'query_invalid'],
  ['/v1/films', { method: 'POST', body: '{"title":1}' }, 422, 'document_invalid'],
  ['/v1/films/00000000-0000-7000-8000-000000000000', { method: 'PATCH', body: '{"year":2000}' }, 404, 'document_not_found'],
  ['/v1/places', { method: 'PUT' }, 405, 'method_not_allowed'],
] as const)('%s is one line of information', async (path, asking, status, reason) => {
  const before = origin.log.length;
  const { status: answered } = await origin.ask(path, asking);
  expect(answered).toBe(status);
  expect(origin.log.slice(before)).toEqual([expect.objectContaining({ level: 30, reason, msg: 'request refused' })]);
  expect(origin.log.at(-1)).not.toHaveProperty('err');
});

test('no refusal of a client is an error, and a bound that did its work is a warning', () => {
  for (const reason of ['query_invalid', 'token_invalid', 'forbidden', 'limit_exceeded', 'precondition_failed', 'hop_replayed', 'not_cached'] as const) expect([reason, levelOf(reason)]).toEqual([reason, 'info']);
  for (const reason of ['overloaded', 'store_busy'] as const) expect([reason, levelOf(reason)]).toEqual([reason, 'warn']);
  for (const reason of ['unknown', 'misconfigured', 'origin_unavailable', 'document_damaged'] as const) expect([reason, levelOf(reason)]).toEqual([reason, 'error']);
});
