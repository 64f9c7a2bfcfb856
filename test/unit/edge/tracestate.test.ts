/** What other tracers said beside a trace goes along within its bounds, or not at all (W3C Trace Context §3.3). */
import { expect, test } from 'bun:test';
import { traceOf } from '../../../edge/request/traceparent.ts';

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const members = (count: number) => Array.from({ length: count }, (_, index) => `k${index}=v`).join();

function passedOn(headers: Readonly<Record<string, string>>): string | undefined {
  const raw = new Request('https://api.example.com/', { headers });
  const waitUntil = () => undefined;
  return traceOf({ raw, requestId: `req_${'a'.repeat(32)}`, waitUntil, told: [], seen: { beganAt: 0 }, timings: undefined }).state;
}

test.each([
  'congo=t61rcWkgMzE', 'congo=t61rcWkgMzE, rojo@a/b=00 f0', 'a=1,,b=2', '1a_*-/=~!', members(32), `${'k'.repeat(256)}=${'v'.repeat(255)}`,
])('%s is passed on', (tracestate) => expect(passedOn({ traceparent, tracestate })).toBe(tracestate));

test.each([
  members(33), `a=${'x'.repeat(256)},b=${'x'.repeat(256)}`, `${'k'.repeat(257)}=v`, `k=${'v'.repeat(257)}`,
  'Congo=1', 'a', 'a=', '=1', 'a=b=c', '@a=1', 'a=\u00e9',
])('%s is dropped', (tracestate) => expect(passedOn({ traceparent, tracestate })).toBeUndefined());

test('without a valid traceparent it is of nothing', () => {
  expect([passedOn({ tracestate: 'a=1' }), passedOn({ traceparent: '01-x', tracestate: 'a=1' })]).toEqual([undefined, undefined]);
});
