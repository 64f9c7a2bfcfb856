/**
 * The path of a request at the edge, in order. The order is decided here and nowhere else: who asks and how
 * much they may ask comes before the cache, so that a hit is never served to someone who may not see it. Whatever is
 * refused is counted: behind `limit` as the caller's, before it as the address's (`charge`).
 */
import type { Served } from './context.ts';
import type { Host } from './host/host.ts';
import { counted } from './metrics/counted.ts';
import { finish } from './request/finish.ts';
import { told } from './request/line.ts';
import { traced } from './request/span.ts';
import type { Arrival } from './request/arrival.ts';
import { respond } from './respond.ts';
import { type Answer, orElse, Path } from './runner.ts';
import { admit } from './stages/admit.ts';
import { cache } from './stages/cache.ts';
import { charge } from './stages/charge.ts';
import { configure } from './stages/configure.ts';
import { describe } from './stages/describe.ts';
import { flood } from './stages/flood.ts';
import { forward } from './stages/forward.ts';
import { guard } from './stages/guard.ts';
import { health } from './stages/health.ts';
import { identify } from './stages/identify.ts';
import { limit } from './stages/limit.ts';
import { live } from './stages/live.ts';
import { metrics } from './stages/metrics.ts';
import { people } from './stages/people.ts';
import { recognise } from './stages/recognise.ts';
import { report } from './stages/report.ts';
import { route } from './stages/route.ts';
import { tickets } from './stages/tickets.ts';
import { translate } from './stages/translate.ts';
import { usage } from './stages/usage.ts';
import { validate } from './stages/validate.ts';
import { version } from './stages/version.ts';

function toPath(host: Host, served: Served): (request: Arrival) => Answer {
  return Path.begin<Arrival>()
    .stage('configure', configure(host, served))
    .stage('admit', admit())
    .stage('charge', charge())
    .stage('guard', guard())
    .stage('flood', flood())
    .stage('recognise', recognise())
    .stage('version', version())
    .stage('route', route())
    .stage('health', health())
    .stage('metrics', metrics())
    .stage('report', report())
    .stage('identify', identify())
    .stage('live', live())
    .stage('limit', limit())
    .stage('describe', describe())
    .stage('people', people())
    .stage('usage', usage())
    .stage('tickets', tickets())
    .stage('translate', translate())
    .stage('validate', validate())
    .stage('cache', cache())
    .end('forward', forward);
}

/** Answers every request, whatever is thrown on its path; at once where there is nothing to wait for. */
export function toPipeline(host: Host, served: Served): (arrival: Arrival) => Answer {
  const path = toPath(host, served);
  return (arrival) => {
    const answer = orElse(() => path(arrival), (thrown) => respond(thrown, arrival));
    const end = (given: Response): Answer => finish(arrival, counted(arrival, traced(arrival, told(arrival, given))));
    return answer instanceof Promise ? answer.then(end) : end(answer);
  };
}
