/**
 * Requests in another version, or named otherwise than by their path, become requests in the current one, and the links
 * of answers lead back to what was asked. Bodies are translated where they are read (`validate`), answers where they come
 * from the origin, so that what is kept of them is kept as it is sent.
 */
import type { Dialect } from '../../shared/versions/dialect.ts';
import { callerOf } from '../rate-limit/caller.ts';
import type { ForOrigin, Identified } from '../request/request.ts';
import type { Answer, Stage } from '../runner.ts';
import { mediaTypeOf, type Speech } from '../versions/naming.ts';
import { countUse } from '../versions/retirement.ts';

export function translate(): Stage<Identified<ForOrigin>, Identified<ForOrigin>> {
  return function translate(request, next): Answer {
    const { speech, dialect, target, principal, network, context: { contract: { versions } } } = request;
    if (speech === undefined) return next(request);
    countUse(speech.version, callerOf(principal, network));
    const query = dialect?.input?.upQuery(target.query) ?? target.query;
    const answer = next({ ...request, target: { path: target.path, query } });
    const say = (given: Response): Response => spoken(given, { speech, dialect, current: `/${versions.current.name}/` });
    return answer instanceof Promise ? answer.then(say) : say(answer);
  };
}

interface Saying {
  readonly speech: Speech;
  readonly dialect: Dialect | undefined;
  /** How paths of the current version begin. */
  readonly current: string;
}

function spoken(answer: Response, saying: Saying): Response {
  const { headers } = answer;
  const [link, location] = [headers.get('link'), headers.get('location')];
  if (link !== null) headers.set('link', link.replace(/<([^>]*)>/g, (_whole, target: string) => `<${toOwnTarget(target, saying)}>`));
  if (location !== null) headers.set('location', toOwnTarget(location, saying));
  const { version, isInMediaType } = saying.speech;
  if (isInMediaType && headers.get('content-type') === 'application/json') headers.set('content-type', mediaTypeOf(version));
  return answer;
}

/** A target of the current version as whoever asked would write it. */
function toOwnTarget(target: string, { speech: { prefix, parameter }, dialect, current }: Saying): string {
  if (!target.startsWith(current)) return target;
  const mark = target.indexOf('?');
  const path = `${prefix}/${target.slice(current.length, mark < 0 ? undefined : mark)}`;
  const query = mark < 0 ? '' : target.slice(mark);
  const own = dialect?.input === undefined ? query : dialect.input.downQuery(query);
  return parameter === '' ? `${path}${own}` : `${path}${own === '' ? '?' : `${own}&`}${parameter}`;
}
