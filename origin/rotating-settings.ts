/**
 * Secrets that are replaced while a program runs. Whoever needs one reads it from the settings at each use; HUP has all of them read
 * anew, from files of variables and from those of `…_FILE`. In development HUP ends the program as ever: its terminal is gone.
 */
import type { Logger } from 'pino';
import { SettingsError, type Variables } from '../shared/settings/reader.ts';
import type { Settings } from './settings.ts';

/** What one process with the edge in it reads anew; its edge reads the hop's keys once. */
export const rotatedByAll = ['TOMBOLO_INCOMING_SECRETS', 'TOMBOLO_SMTP_URL', 'TOMBOLO_SMTP_FROM'] as const;
export const rotatedByOrigin = [...rotatedByAll, 'TOMBOLO_KEYS'] as const;

interface Given {
  readonly settings: Settings;
  readonly variables: Variables;
}

export interface Rotated {
  /** Names of variables whose new values hold. */
  readonly taken: readonly string[];
  /** Those whose new values hold from the next start on. */
  readonly waiting: readonly string[];
}

export class RotatingSettings {
  readonly settings: Settings;
  readonly #names: ReadonlySet<string>;
  readonly #begun: Variables;
  #now: Given;

  constructor(given: Given, names: readonly string[]) {
    this.#names = new Set(names);
    this.#begun = given.variables;
    this.#now = given;
    const now = (): Settings => this.#now.settings;
    const [{ people, keys }, rotatesKeys] = [given.settings, this.#names.has('TOMBOLO_KEYS')];
    this.settings = {
      ...given.settings,
      get keys() { return rotatesKeys ? now().keys : keys; },
      get incomingSecrets() { return now().incomingSecrets; },
      people: people === undefined ? undefined : { ...people, get smtp() { return now().people?.smtp ?? people.smtp; } },
    };
  }

  rotate(next: Given): Rotated {
    const changed = (since: Variables, isOurs: (name: string) => boolean) =>
      [...new Set([...Object.keys(since), ...Object.keys(next.variables)])]
        .filter((name) => isOurs(name) && since[name] !== next.variables[name]).sort();
    const taken = changed(this.#now.variables, (name) => this.#names.has(name));
    const waiting = changed(this.#begun, (name) => /^(TOMBOLO_|MONGODB_URI)/.test(name) && !this.#names.has(name));
    this.#now = next;
    return { taken, waiting };
  }
}

/** What is wrong changes nothing; neither is a value ever told. */
export function rotateOnHup(rotating: RotatingSettings, read: () => Given, log: Logger): void {
  if (rotating.settings.environment !== 'production') return;
  // Whatever the level of the log is: whoever sent the signal looks for its effect.
  const tell = (facts: object, msg: string): void =>
    void process.stderr.write(`${JSON.stringify({ time: Date.now(), level: log.level, ...facts, msg })}\n`);
  process.on('SIGHUP', () => {
    try {
      tell(rotating.rotate(read()), 'secrets are read anew');
    } catch (cause) {
      if (!(cause instanceof SettingsError)) throw cause;
      tell({ wrong: cause.message }, 'secrets stay as they are: what is set now is wrong');
    }
  });
}
