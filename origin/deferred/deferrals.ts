/**
 * Operations that go on behind their answer (SEMANTICS §10). Where one begins, its upload is on this process's disk and it is
 * stored that it waits; from then on its origin says every few seconds that it goes on, and whoever reads it once that has
 * not been said for longer is told that its origin ended. So nothing has to be mended after a crash.
 *
 *   share ─▶ nonce ─▶ spool ─▶ stored: waiting ─▶ 202
 *                                        │ its turn
 *                                        ▼
 *                                     running ── beats ──▶ done | failed | cancelled, with what it answered
 */
import { deferredLimits } from '../../shared/deferred/limits.ts';
import { toKeyId } from '../../shared/api-keys/key-text.ts';
import type { BufferedBody, StreamedBody } from '../../shared/operations/operation.ts';
import { Fault } from '../../shared/wire/fault.ts';
import type { Answer, Asked } from '../call.ts';
import { CallerShares } from '../caller-shares.ts';
import type { Context } from '../context.ts';
import { mustBeUnrepeated } from '../import/row-writer.ts';
import { nonceOf } from '../documents/write-one.ts';
import { pause } from '../pause.ts';
import type { Started } from '../services/services.ts';
import { toTrouble } from '../trouble.ts';
import { Course } from './course.ts';
import { cancelled, originStops } from './ends.ts';
import { DeferredRun } from './deferred-run.ts';
import { KeptOperations } from './kept-operations.ts';
import { type Spooled, spool } from './spool.ts';
import { hasPassed, isLost, isOpen, newOperation } from './stored-operation.ts';
import { Turns } from './turns.ts';

type Surroundings = Pick<Context, 'store' | 'log' | 'now'> & {
  readonly settings: Pick<Context['settings'], 'dataDir'>;
  /** Aborted when the origin begins to stop, before its socket is drained. */
  readonly stopping: AbortSignal;
};

/** What can be carried out later: a call, and its body where that is a stream. */
interface Deferrable extends Asked {
  readonly operation: Asked['operation'] & { readonly msMax: number };
  readonly body: BufferedBody | StreamedBody | undefined;
}

export class Deferrals {
  readonly kept: KeptOperations;
  readonly #around: Surroundings;
  readonly #shares = new CallerShares({
    what: 'operations behind their answers', perCallerMax: deferredLimits.ofOneMax, allMax: deferredLimits.ofProcessMax,
    retryAfterSeconds: deferredLimits.retryAfterSeconds,
  });
  readonly #turns = new Turns(deferredLimits.runningMax);
  /** Of this process, by id. */
  readonly #courses = new Map<string, Course>();
  readonly #running = new Set<Promise<void>>();
  readonly #stop = new AbortController();

  constructor(around: Surroundings) {
    this.#around = around;
    this.kept = new KeptOperations(around.store);
    around.stopping.addEventListener('abort', () => this.#halt(), { once: true });
  }

  /** Answers once all that it needs is here. `carryOut` is given the call as it goes on from there. */
  async begin<Call extends Deferrable>(call: Call, carryOut: (call: Call) => Promise<Answer>): Promise<Answer> {
    if (this.#stop.signal.aborted) throw originStops();
    const giveBack = this.#shares.mustTake(call.principal);
    let spooled: Spooled | undefined;
    try {
      await this.#around.store.write([], { deadline: call.deadline, ...nonceOf(call) });
      spooled = await this.#spool(call);
      await this.#makeRoom(call.principal.subject ?? '');
      const now = this.#around.now();
      const id = toKeyId(now, (bytes) => crypto.getRandomValues(new Uint8Array(bytes)));
      await this.kept.change(id, () => newOperation(call, now), { deadline: call.deadline });
      const isOurs = this.#go(id, call, { spooled, carryOut });
      this.#note(isOurs.finally(() => (giveBack(), spooled?.close())));
      return { outcome: 'accepted', deferredId: id, body: JSON.stringify({ id, state: 'waiting' }), mediaType: 'application/json' };
    } catch (thrown) {
      giveBack();
      await spooled?.close();
      throw thrown;
    }
  }

  /** Where it runs in this process it ends at its next step; another finds the wish at its next beat. */
  cancel(id: string): void {
    this.#courses.get(id)?.stop(cancelled());
  }

  async stop(): Promise<void> {
    this.#halt();
    await Promise.all(this.#running);
  }

  #halt(): void {
    this.#stop.abort();
    for (const course of this.#courses.values()) course.stop(originStops());
  }

  /** Removes what has been kept for its time; several processes may do it at once. */
  async sweep(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await pause(deferredLimits.sweepMs, this.#stop.signal);
      try {
        while (!this.#stop.signal.aborted && (await this.kept.sweep(this.#around.now())));
      } catch (cause) {
        this.#around.log.warn(toTrouble(cause), 'what has been kept of ended operations is not removed');
      }
    }
  }

  async #spool({ body, idempotency }: Deferrable): Promise<Spooled | undefined> {
    if (body === undefined || !('chunks' in body)) return undefined;
    mustBeUnrepeated(idempotency);
    return spool(body.chunks, this.#around.settings.dataDir);
  }

  /** Counts those of other processes too; the oldest that have ended give way. */
  async #makeRoom(owner: string): Promise<void> {
    const now = this.#around.now();
    const all = await this.kept.of(owner);
    const open = all.filter(({ operation }) => isOpen(operation) && !isLost(operation, now));
    if (open.length >= deferredLimits.ofOneMax) throw tooMany();
    const ended = all.filter(({ operation }) => !isOpen(operation) || isLost(operation, now));
    const leaving = ended.slice(0, Math.max(0, ended.length - deferredLimits.keptOfOneMax + 1));
    for (const { id } of [...leaving, ...ended.filter(({ operation }) => hasPassed(operation, now))]) await this.kept.forget(id);
  }

  async #go<Call extends Deferrable>(id: string, call: Call, { spooled, carryOut }: Going<Call>): Promise<void> {
    const course = new Course();
    this.#courses.set(id, course);
    if (this.#stop.signal.aborted) course.stop(originStops());
    const { now, log, store } = this.#around;
    const { principal, requestId, traceId } = call;
    const named = { requestId, traceId, operation: id };
    const run = new DeferredRun(this.kept, { id, course, now, principal, requestId, traceId, store });
    try {
      await run.carryOut(this.#turns, () => carryOut({
        ...call, course, nonce: undefined, isDeferred: false,
        deadline: now() + (spooled === undefined ? call.operation.msMax : deferredLimits.uploadMsMax),
        ...(spooled === undefined ? {} : { body: { ...call.body, chunks: spooled.chunks } }),
      }));
    } catch (cause) {
      log.error({ ...named, ...toTrouble(cause) }, 'the end of an operation is not stored');
    } finally {
      this.#courses.delete(id);
    }
    const { ended } = course;
    if (ended !== undefined) log.info({ ...named, reason: ended.reason, detail: ended.detail }, 'an operation ended early');
  }

  #note(running: Promise<void>): void {
    this.#running.add(running);
    void running.finally(() => this.#running.delete(running));
  }
}

interface Going<Call> {
  readonly spooled: Spooled | undefined;
  readonly carryOut: (call: Call) => Promise<Answer>;
}

export function startDeferrals(around: Surroundings): Started<Deferrals> {
  const deferrals = new Deferrals(around);
  const sweeping = deferrals.sweep();
  return {
    value: deferrals,
    stop: async () => (await deferrals.stop(), sweeping),
    state: () => ({ ready: true }),
  };
}

function tooMany(): Fault {
  return new Fault('limit_exceeded', {
    detail: `${deferredLimits.ofOneMax} operations behind their answers of one caller wait or run at once`,
    headers: { 'retry-after': String(deferredLimits.retryAfterSeconds) },
  });
}
