/**
 * What others did to the file beside writing documents, put back: their changes to the schema, and a log that does not go on
 * from where this process knew it to end. Of several processes that share the file the first one mends it, and the others find
 * nothing to do.
 */
import type { Resource } from '../../../../shared/contract/resource.ts';
import type { ForeignCommits } from '../feed/foreign-commits.ts';
import type { Head } from '../feed/head.ts';
import type { ChangeLog } from '../feed/log.ts';
import type { Surroundings } from '../options.ts';
import type { Committed } from '../write/group-commit.ts';
import type { Installed } from './install.ts';
import { type History, mendFile, warnOfKeys } from './prepare-file.ts';

interface MendingOptions extends Pick<Surroundings, 'onFatal' | 'onWarning'> {
  readonly history: History;
  readonly resources: readonly Resource[];
  readonly log: ChangeLog;
  readonly head: Head;
  readonly foreign: () => ForeignCommits;
  commit(run: () => Installed): Promise<Committed<Installed>>;
}

export class Mending {
  readonly #options: MendingOptions;
  #running = 0;

  constructor(options: MendingOptions) {
    this.#options = options;
  }

  /** While what others broke is put back, nobody knows what was committed. */
  get isRunning(): boolean {
    return this.#running > 0;
  }

  /** Others committed. `schema`: they changed it, too. */
  noticed(schema: boolean): void {
    const { log, head, onFatal } = this.#options;
    if (!schema && log.continues(head.position)) {
      head.refresh();
      return;
    }
    this.#running++;
    this.#mend().catch((error) => onFatal(new Error('others broke the database, and it cannot be mended', { cause: error })))
      .finally(() => this.#running--);
  }

  async #mend(): Promise<void> {
    const { history, resources, head, foreign, commit, onWarning } = this.#options;
    const { epoch } = head;
    const { value: installed, end } = await commit(() => mendFile(history, resources, head.position));
    foreign().adopt();
    // What others committed since then is taken as seen, so it must be known.
    head.refresh();
    if (installed.changed || end.epoch !== epoch) {
      onWarning('others changed the schema or the log; it was put back', { holes: installed.holes, epoch: end.epoch });
    }
    warnOfKeys(installed, this.#options);
  }
}
