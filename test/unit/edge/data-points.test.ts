/** What an isolate tells Analytics Engine: what is new since the last time, not more at once than the platform takes. */
import { expect, test } from 'bun:test';
import { edgeLimits } from '../../../edge/limits.ts';
import { Counts } from '../../../edge/metrics/counts.ts';
import { type DataPoint, DataPoints } from '../../../edge/metrics/data-points.ts';

const { dataPointsEveryMs, dataPointsAtOnceMax, countedSeriesMax } = edgeLimits;
const answer = (cache: string) => new Response('', { headers: { 'cache-status': `tombolo; ${cache}; ttl=1` } });

test('each count is told once, every ten seconds', () => {
  const counts = new Counts();
  const points: DataPoint[] = [];
  const begun = Date.now();
  const told = new DataPoints(counts, (point) => points.push(point));
  for (let round = 0; round < 3; round++) counts.answered({ beganAt: 0, operation: 'get' }, answer('hit'));
  counts.answered({ beganAt: 0, reason: 'query_invalid' }, new Response('', { status: 400 }));
  counts.unitsSpent = 4;
  counts.originAnswered('https://origin.example.com', 20);
  told.tell(begun);
  expect(points).toEqual([]);
  told.tell(begun + dataPointsEveryMs + 1_000);
  expect(points).toEqual([
    { indexes: ['units'], blobs: ['units'], doubles: [4] },
    { indexes: ['origin'], blobs: ['origin', 'https://origin.example.com', 'closed', 'answers'], doubles: [1] },
    { indexes: ['origin'], blobs: ['origin', 'https://origin.example.com', 'closed', 'seconds'], doubles: [0.02] },
    { indexes: ['get'], blobs: ['requests', 'get', '2xx', '', 'hit'], doubles: [3] },
    { indexes: ['none'], blobs: ['requests', 'none', '4xx', 'query_invalid', ''], doubles: [1] },
  ]);
  points.length = 0;
  counts.answered({ beganAt: 0, operation: 'get' }, answer('hit'));
  told.tell(begun + 2 * dataPointsEveryMs + 2_000);
  expect(points).toEqual([{ indexes: ['get'], blobs: ['requests', 'get', '2xx', '', 'hit'], doubles: [1] }]);
});

test('what is too much for one request is told by the next ones, and nothing is told twice', () => {
  const counts = new Counts();
  let told = 0;
  const points = new DataPoints(counts, ({ doubles: [more = 0] }) => (told += more));
  const kinds = dataPointsAtOnceMax + 60;
  for (let kind = 0; kind < kinds; kind++) counts.answered({ beganAt: 0, operation: `operation${kind}` }, answer('hit'));
  points.tell(Date.now() + dataPointsEveryMs + 1_000);
  expect(told).toBe(dataPointsAtOnceMax);
  points.tell(Date.now() + 2 * dataPointsEveryMs + 2_000);
  points.tell(Date.now() + 3 * dataPointsEveryMs + 3_000);
  expect(told).toBe(kinds);
});

test('kinds of answers past their bound are counted together', () => {
  const counts = new Counts();
  for (let kind = 0; kind < countedSeriesMax + 50; kind++) counts.answered({ beganAt: 0, operation: `operation${kind}` }, answer('hit'));
  expect([counts.answers.size, counts.answers.get('other')?.count]).toEqual([countedSeriesMax + 1, 50]);
});
