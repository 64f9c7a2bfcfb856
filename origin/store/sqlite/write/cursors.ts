/** Durable cursors of the feed's consumers. */
import { eq, sql } from 'drizzle-orm';
import type { Position } from '../../../../shared/wire/position.ts';
import type { Queries } from '../connection/database.ts';
import { cursors } from '../install/system-records.ts';

export class Cursors {
  readonly #find;
  readonly #findForWrite;
  readonly #keep;

  constructor(given: { readonly reader: Queries; readonly writer: Queries }) {
    const { epoch, order } = cursors;
    const ofConsumer = eq(cursors.consumer, sql.placeholder('consumer'));
    this.#find = given.reader.select({ epoch, order }).from(cursors).where(ofConsumer).prepare();
    this.#findForWrite = given.writer.select({ epoch, order }).from(cursors).where(ofConsumer).prepare();
    this.#keep = given.writer.insert(cursors)
      .values({ consumer: sql.placeholder('consumer'), epoch: sql.placeholder('epoch'), order: sql.placeholder('order') })
      .onConflictDoUpdate({ target: cursors.consumer, set: { epoch: sql.raw('excluded.epoch'), order: sql.raw('excluded."order"') } })
      .prepare();
  }

  find(consumer: string): Position | undefined {
    return this.#find.get({ consumer });
  }

  /** The cursor as a write transaction sees it. */
  findForWrite(consumer: string): Position | undefined {
    return this.#findForWrite.get({ consumer });
  }

  /** Keeps a cursor inside a write transaction. */
  keep(consumer: string, { epoch, order }: Position): void {
    this.#keep.run({ consumer, epoch, order });
  }
}
