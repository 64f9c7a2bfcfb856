/** What a line of the log says of a failure: what somebody has to mend in words, what nobody foresaw with its stack. */
import { Fault, levelOf } from '../shared/wire/fault.ts';

export function toTrouble(cause: unknown): Readonly<Record<string, unknown>> {
  if (!(cause instanceof Fault) || levelOf(cause.reason) === 'error') return { err: cause };
  const { reason, detail, facts } = cause;
  return { reason, detail, facts };
}

/** What a line says of a refusal. The words for a client that asked wrongly may quote what it sent: they are the client's alone. */
export function toFaultFacts({ reason, detail, facts }: Fault): Readonly<Record<string, unknown>> {
  return { reason, facts, ...(levelOf(reason) === 'info' ? {} : { detail }) };
}

/** An error as it is logged, by its named members alone: a driver's has what it was asked beside them, in its message too. */
export function toLoggedError(thrown: unknown): unknown {
  if (!(thrown instanceof Error)) return { type: typeof thrown };
  const { name, message, stack, cause } = thrown;
  const code = (thrown as { readonly code?: unknown }).code;
  return {
    type: name,
    // MongoDB names the values of a key that is there already.
    message: message.replace(/ dup key: .*$/s, ' dup key').slice(0, messageCharactersMax),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    // Without its first lines, which are the message.
    stack: stack?.split('\n').filter((line) => /^\s+at /.test(line)).slice(0, framesMax).join('\n'),
    ...(cause === undefined ? {} : { cause: toLoggedError(cause) }),
  };
}

const messageCharactersMax = 500;
const framesMax = 20;
