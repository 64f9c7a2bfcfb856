/** One operation from its beginning to its end: its turn, its beats, what it answers, and how it ended. */
import { apiKeys } from '../../shared/api-keys/resource.ts';
import { deferredLimits } from '../../shared/deferred/limits.ts';
import { Fault, toFault } from '../../shared/wire/fault.ts';
import { limits } from '../../shared/wire/limits.ts';
import { toProblem } from '../../shared/wire/problem.ts';
import type { Principal } from '../../shared/wire/principal.ts';
import { instantAt } from '../../shared/wire/values.ts';
import type { Answer } from '../call.ts';
import type { Store } from '../store/store.ts';
import type { Course } from './course.ts';
import { cancelled, originEnded } from './ends.ts';
import type { KeptOperations } from './kept-operations.ts';
import { isLost, keptFrom, type StoredOperation } from './stored-operation.ts';
import type { Turns } from './turns.ts';

interface Running {
  readonly id: string;
  readonly course: Course;
  readonly principal: Principal;
  readonly requestId: string;
  readonly traceId: string | undefined;
  readonly store: Store;
  now(): number;
}

type Result = Pick<StoredOperation, 'parts' | 'bytes' | 'mediaType'>;

/** How often the end is tried to be stored, in the time until nobody believes it any more. */
const endTries = 3;

export class DeferredRun {
  readonly #kept: KeptOperations;
  readonly #running: Running;
  #startedAt: string | undefined;
  /** Milliseconds of the epoch; past it others take the operation for lost, and it stops. */
  #aliveUntil: number;

  constructor(kept: KeptOperations, running: Running) {
    this.#kept = kept;
    this.#running = running;
    this.#aliveUntil = running.now() + deferredLimits.aliveMs;
  }

  /** Throws where its end could not be stored: it is lost then. */
  async carryOut(turns: Turns, work: () => Promise<Answer>): Promise<void> {
    const { course } = this.#running;
    let beating = Promise.resolve();
    let isBeating = false;
    const timer = setInterval(() => {
      if (isBeating) return;
      isBeating = true;
      beating = this.#beat().finally(() => (isBeating = false));
    }, deferredLimits.beatMs);
    let result: Result = { parts: 0, bytes: 0 };
    await turns.take();
    try {
      course.mustGoOn();
      this.#startedAt = instantAt(this.#running.now());
      await this.#beat();
      result = await this.#keep(await work());
    } catch (thrown) {
      course.fail(toFault(thrown));
    } finally {
      turns.giveBack();
      clearInterval(timer);
      await beating;
    }
    await this.#end(result);
  }

  /** Says how far it is and that it goes on, and learns whether it is to. */
  async #beat(): Promise<void> {
    const { id, course, now } = this.#running;
    const at = now();
    try {
      await this.#mustStand();
      await this.#kept.change(id, (there) => {
        const going = mustBeOurs(there, at);
        if (going.isCancelled) course.stop(cancelled());
        const { rows, rejected } = course.progress;
        const started = this.#startedAt === undefined ? {} : { state: 'running' as const, startedAt: this.#startedAt };
        return { ...going, ...started, rows, rejected, ...keptFrom(at) };
      });
      this.#aliveUntil = at + deferredLimits.aliveMs;
    } catch (thrown) {
      // A store that is away for a moment is asked again at the next beat.
      const fault = toFault(thrown);
      if (fault.status < 500 || fault.reason === 'operation_interrupted' || now() >= this.#aliveUntil) course.stop(fault);
    }
  }

  /** Whoever revokes an API key ends what it asked for. */
  async #mustStand(): Promise<void> {
    const { principal: { key }, store, now } = this.#running;
    if (key === undefined) return;
    const { value } = await store.get(apiKeys, key.id, { deadline: now() + limits.requestMsMax });
    if (value === undefined) throw new Fault('key_invalid', { detail: 'the API key was revoked meanwhile' });
  }

  /** Keeps the answer in parts, as it comes. */
  async #keep({ body = '', mediaType }: Answer): Promise<Result> {
    const { id } = this.#running;
    const { partCharacters, resultCharactersMax } = deferredLimits;
    const decoder = new TextDecoder();
    let [text, parts, bytes, characters] = ['', 0, 0, 0];
    for await (const chunk of chunksOf(body)) {
      const more = decoder.decode(chunk, { stream: true });
      [text, bytes, characters] = [text + more, bytes + chunk.length, characters + more.length];
      if (characters > resultCharactersMax) throw tooLong();
      while (text.length >= partCharacters) {
        const end = toEnd(text, partCharacters);
        await this.#kept.keepPart(id, parts++, text.slice(0, end));
        text = text.slice(end);
      }
    }
    if (text !== '') await this.#kept.keepPart(id, parts++, text);
    return { parts, bytes, ...(mediaType === undefined ? {} : { mediaType }) };
  }

  async #end(result: Result): Promise<void> {
    const { id, course, now, requestId, traceId } = this.#running;
    const { ended, progress: { rows, rejected, summary } } = course;
    const state = ended === undefined ? 'done' : ended.reason === 'operation_cancelled' ? 'cancelled' : 'failed';
    if (result.mediaType === undefined) await this.#kept.forgetParts(id);
    for (let tries = 1; ; tries++) {
      const at = now();
      try {
        return await this.#kept.change(id, (there) => ({
          ...mustBeOurs(there, at), ...keptFrom(at), ...result, state, rows, rejected, endedAt: instantAt(at),
          ...(this.#startedAt === undefined ? {} : { startedAt: this.#startedAt }),
          ...(summary === undefined ? {} : { summary: JSON.stringify(summary) }),
          ...(ended === undefined ? {} : { problem: JSON.stringify(toProblem(ended, { requestId, traceId })) }),
        }));
      } catch (thrown) {
        const isLate = toFault(thrown).reason === 'operation_interrupted';
        if (isLate) await this.#kept.forgetParts(id);
        if (isLate || tries === endTries) throw thrown;
      }
    }
  }
}

/** Nobody goes on with what others have been told is lost, or was forgotten. */
function mustBeOurs(there: StoredOperation | undefined, nowMs: number): StoredOperation {
  if (there === undefined || isLost(there, nowMs)) throw originEnded();
  return there;
}

async function* chunksOf(body: NonNullable<Answer['body']>): AsyncGenerator<Uint8Array> {
  if (typeof body === 'string') yield new TextEncoder().encode(body);
  else if (body instanceof Uint8Array) yield body;
  else yield* body;
}

/** A pair of surrogates stays together: each part is text by itself. */
function toEnd(text: string, end: number): number {
  const last = text.charCodeAt(end - 1);
  return last >= 0xd800 && last < 0xdc00 ? end - 1 : end;
}

function tooLong(): Fault {
  return new Fault('limit_exceeded', {
    detail: `an answer of more than ${deferredLimits.resultCharactersMax} characters is not kept: ask without \`Prefer\`, or for less`,
  });
}
