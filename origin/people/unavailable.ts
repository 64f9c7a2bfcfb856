/** A database of people whose disk is full, or whose file cannot be used, is 503 to whoever asks, as the store is (SEMANTICS §15). */
import { SQLiteError } from 'bun:sqlite';
import type { DBAdapter } from 'better-auth';
import { APIError } from 'better-auth/api';
import { Fault } from '../../shared/wire/fault.ts';
import { toStoreFault } from '../store/sqlite/connection/errors.ts';

/** The same adapter, whose errors of SQLite are refusals as better-auth answers them; the Fault is their cause. */
export function sayingUnavailable(adapter: DBAdapter): DBAdapter {
  return new Proxy(adapter, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...given: readonly unknown[]): unknown => {
        const done: unknown = Reflect.apply(value, target, given);
        return done instanceof Promise ? done.catch(refuse) : done;
      };
    },
  });
}

function refuse(error: unknown): never {
  const fault = error instanceof SQLiteError ? toStoreFault(error) : error;
  if (!(fault instanceof Fault)) throw error;
  const said = { code: fault.reason.toUpperCase(), message: fault.detail ?? 'People cannot be looked up now' };
  throw Object.assign(new APIError('SERVICE_UNAVAILABLE', said, fault.headers), { cause: fault });
}
