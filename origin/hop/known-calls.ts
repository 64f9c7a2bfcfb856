/**
 * Calls by the words in which they were asked: whoever asks for the same state in the same words, under the same key, asks
 * the same call, which is neither routed nor parsed nor granted again. The words are all that the origin reads of a request
 * but what is another in each: its id, its trace and its deadline. They are looked up once their signature holds. What is
 * kept here is the question alone; what its answer is, is found out each time.
 */
import { isEndpoint } from '../../shared/operations/endpoint.ts';
import { remember } from '../../shared/remember.ts';
import { type HopHeader, hopHeaders } from '../../shared/hop/profile.ts';
import type { RoutedCall } from '../routed-call.ts';
import type { VerifiedHop } from './verify.ts';

const ofOneRequest: ReadonlySet<HopHeader> = new Set(['traceparent', 'tracestate', 'tombolo-request', 'tombolo-deadline']);
const telling = hopHeaders.filter((name) => !ofOneRequest.has(name));

/** Each takes 2 KB or so: 8 MB. */
const callsMax = 4_096;
/** Words of more characters are parsed each time. */
const wordsMax = 1_024;

export class KnownCalls {
  readonly #calls = new Map<string, RoutedCall>();

  find(words: string): RoutedCall | undefined {
    return this.#calls.get(words);
  }

  /** What an endpoint parses by is its team's own, and may say something else the next time. */
  keep(words: string, call: RoutedCall): void {
    if (call.operation.answers !== 'state' || isEndpoint(call.operation) || words.length > wordsMax) return;
    remember(this.#calls, words, call, callsMax);
  }
}

/** Lines that no value can contain the end of: two requests of the same words are the same question. */
export function wordsOf({ method, path, query, answers, header }: VerifiedHop): string {
  let words = `${answers.key.id} ${method} ${path}${query}`;
  for (const name of telling) {
    const value = header(name);
    if (value !== null) words += `\n${name}: ${value}`;
  }
  return words;
}
