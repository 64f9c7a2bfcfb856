/**
 * What the line of a request costs the origin's cheapest get that reads its store: of none, of each and of one in a hundred, by
 * turns, written to a pipe's end that keeps nothing. `node_modules/.bin/bun test/bench/request-log.ts`
 */
import pino from 'pino';
import type { OriginContext } from '../../origin/origin-context.ts';
import { Watched } from '../../origin/watched.ts';
import { median } from './rounds.ts';
import { films, newRequestId, openWithFilm, roundOfGets } from './signed-gets.ts';

const rounds = 9;
const linesAlone = 100_000;

await using origin = await openWithFilm();

const log = pino({ base: null }, pino.destination({ dest: '/dev/null', sync: true }));
const telling = (logOneIn: number): OriginContext => ({ ...origin.context, log, settings: { ...origin.context.settings, logOneIn } });

const ids = Array.from({ length: linesAlone }, newRequestId);
const principal = { subject: 'ada', roles: ['editor'], claims: {} };

/** Microseconds of what watches a request, and of its line where it has one. */
const alone = (context: OriginContext): number => {
  const beganAtMs = performance.now();
  for (const requestId of ids) {
    const watched = new Watched(context);
    watched.trace = { requestId, traceId: undefined };
    watched.found({ operation: { name: 'get' }, resource: films, principal });
    watched.answered({ status: 200 }, 'a body');
  }
  return ((performance.now() - beganAtMs) * 1_000) / linesAlone;
};

const contexts = [0, 1, 100].map((oneIn) => ({ oneIn, context: telling(oneIn), gets: [] as number[], lines: [] as number[] }));
for (let count = 0; count < rounds; count++) {
  for (const { context, gets, lines } of contexts) {
    gets.push(await roundOfGets(context));
    lines.push(alone(context));
  }
}
const without = median(contexts[0]?.gets ?? []);
for (const { oneIn, gets, lines } of contexts) {
  const [get, line] = [median(gets), median(lines)];
  const share = ((line / without) * 100).toFixed(1);
  process.stdout.write(`one in ${oneIn}: a get ${get.toFixed(1)} µs; the watching alone ${line.toFixed(2)} µs, ${share} %\n`);
}
