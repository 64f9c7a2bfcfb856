/**
 * What metrics cost: a get at the origin, signed and carried out, measured and not, by turns; and the measuring by itself, which
 * is less than what two such rounds differ by. `node_modules/.bin/bun test/bench/metrics.ts`
 */
import { Registry } from '@prometheus-io/client';
import { Counts } from '../../edge/metrics/counts.ts';
import type { OriginContext } from '../../origin/origin-context.ts';
import { Requests } from '../../origin/metrics/requests.ts';
import { median } from './rounds.ts';
import { openWithFilm, roundOfGets } from './signed-gets.ts';

const rounds = 15;
const measuredAlone = 1_000_000;

await using origin = await openWithFilm();

const requests = new Requests(new Registry(Registry.OPENMETRICS_CONTENT_TYPE));
const plain: OriginContext = { ...origin.context, measuring: undefined };
const measured: OriginContext = { ...origin.context, measuring: { requests, registry: new Registry() } };

function alone(): number {
  const beganAtMs = performance.now();
  for (let count = 0; count < measuredAlone; count++) {
    const seen = requests.begin();
    seen.operation = 'get';
    seen.end(200);
  }
  return ((performance.now() - beganAtMs) * 1_000) / measuredAlone;
}

await roundOfGets(plain);
await roundOfGets(measured);
const times: { readonly plain: number[]; readonly measured: number[] } = { plain: [], measured: [] };
for (let count = 0; count < rounds; count++) {
  times.plain.push(await roundOfGets(plain));
  times.measured.push(await roundOfGets(measured));
}
/** What the edge counts of a hit. */
function ofTheEdge(): number {
  const counts = new Counts();
  const seen = { beganAt: 0, operation: 'get' };
  const hit = new Response('', { headers: { 'cache-status': 'tombolo; hit; ttl=1', etag: '"a"', 'content-type': 'application/json' } });
  const beganAtMs = performance.now();
  for (let count = 0; count < measuredAlone; count++) counts.answered(seen, hit);
  return ((performance.now() - beganAtMs) * 1_000) / measuredAlone;
}

alone();
ofTheEdge();
const [without, withMetrics, cost] = [median(times.plain), median(times.measured), median([alone(), alone(), alone()])];
process.stdout.write(`a get: ${without.toFixed(1)} µs; measured: ${withMetrics.toFixed(1)} µs; `);
process.stdout.write(`the measuring alone: ${cost.toFixed(2)} µs, ${((cost / without) * 100).toFixed(1)} %\n`);
process.stdout.write(`a hit at the edge: ${median([ofTheEdge(), ofTheEdge(), ofTheEdge()]).toFixed(2)} µs\n`);
