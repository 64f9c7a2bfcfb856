/** Another program that writes to the same collections with MongoDB's own driver: single updates that the driver retries. */
import { type Document, MongoClient, MongoServerError } from 'mongodb';
import type { JsonObject } from '../../../../shared/wire/values.ts';
import { toPatch } from '../documents.ts';
import type { Write } from '../history.ts';
import type { Run } from '../run.ts';
import { targetsOf } from '../writers.ts';

interface Stored extends Document {
  _id: string;
  rev: number;
}

const selectionMsMax = 1_500;
/**
 * On Bun the driver waits for ever when a connection dies just as it writes to it: `write` says false, and neither
 * `drain` nor `error` follows. Programs that live have their own bound.
 */
const waitMsMax = 3_000;

export async function writeFromOutside(run: Run, uri: string): Promise<void> {
  const client = new MongoClient(uri, {
    appName: 'another program',
    retryWrites: true,
    writeConcern: { w: 'majority', journal: true },
    serverSelectionTimeoutMS: selectionMsMax,
  });
  const random = run.random.fork();
  for (let number = 0; !run.stopped; number++) {
    const target = random.pick(targetsOf(run));
    if (target !== undefined) {
      const content = { tag: `foreign-${number}`, author: target.author, isDraft: random.chance(0.2) };
      await update(run, client, { id: target.id, resource: target.group.kind, tag: content.tag, fields: toPatch(target.group, content) });
    }
    await Bun.sleep(random.below(12));
  }
  await Promise.race([client.close(), Bun.sleep(waitMsMax)]);
}

interface Update {
  readonly id: string;
  readonly resource: string;
  readonly tag: string;
  readonly fields: JsonObject;
}

/** An update by `$inc`, so that one done twice shows; of what stands there, since nobody would see one of a removed document. */
async function update(run: Run, client: MongoClient, { id, resource, tag, fields }: Update): Promise<void> {
  const askedAt = performance.now();
  const note = (outcome: Write['outcome']) => run.noteWrite({ verb: 'patch', tag, id, askedAt, answeredAt: performance.now(), outcome });
  try {
    const updating = client
      .db()
      .collection<Stored>(resource)
      .updateOne({ _id: id, deletedAt: { $exists: false } }, { $set: { ...fields, updatedAt: new Date() }, $inc: { rev: 1 } });
    const done = await Promise.race([updating, Bun.sleep(waitMsMax)]);
    note(done === undefined ? 'unknown' : done.matchedCount === 1 ? 'acked' : 'refused');
  } catch (error) {
    if (error instanceof MongoServerError && error.code === documentInvalid) throw error;
    note('unknown');
  }
}

/** The code of a refused document, which would be a mistake of this file. */
const documentInvalid = 121;
