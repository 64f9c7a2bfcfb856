// The append-only file of one member: log entries as BSON, each with its length and CRC-32C. A torn tail, which a crash
// leaves, is cut off at the next start; anything acknowledged with `j` lies before it.
import { open, readFile, rename, truncate, type FileHandle } from 'node:fs/promises';
import { serialize } from 'bson';
import type { JournalFile } from '../replica/journal.ts';
import type { Operation, OplogEntry, SessionMark } from '../replica/oplog.ts';
import { type Doc, toNumber } from '../values/types.ts';
import { readDocument } from '../wire/bson-read.ts';
import { crc32c } from '../wire/crc32c.ts';

const HEAD_BYTES = 8;

export async function openJournal(path: string): Promise<{ file: JournalFile; entries: OplogEntry[] }> {
  const { entries, end } = await readJournal(path);
  let handle = await open(path, 'a');
  if ((await handle.stat()).size > end) await truncate(path, end);
  let waiting: Buffer[] = [];
  const write = async (target: FileHandle, buffers: Buffer[]): Promise<void> => {
    if (buffers.length) await target.appendFile(Buffer.concat(buffers));
    await target.datasync();
  };
  return {
    entries,
    file: {
      append(entry) { waiting.push(frame(entry)); },
      async sync() { const buffers = waiting; waiting = []; await write(handle, buffers); },
      // A rollback or a crash takes entries back: the file is written anew beside and moved into place.
      async rewrite(kept) {
        waiting = [];
        const fresh = await open(`${path}.new`, 'w');
        await write(fresh, kept.map(frame));
        await handle.close();
        await rename(`${path}.new`, path);
        await fresh.close();
        handle = await open(path, 'a');
      },
      async close() { await write(handle, waiting); waiting = []; await handle.close(); },
    },
  };
}

async function readJournal(path: string): Promise<{ entries: OplogEntry[]; end: number }> {
  const bytes = await readFile(path).catch((error: unknown) => { if ((error as { code?: string }).code === 'ENOENT') return Buffer.alloc(0); throw error; });
  const entries: OplogEntry[] = [];
  let at = 0;
  while (at + HEAD_BYTES <= bytes.length) {
    const length = bytes.readUInt32LE(at);
    const body = bytes.subarray(at + HEAD_BYTES, at + HEAD_BYTES + length);
    if (body.length < length || crc32c(body) !== bytes.readUInt32LE(at + 4)) break;
    entries.push(toEntry(readDocument(body, 0)));
    at += HEAD_BYTES + length;
  }
  return { entries, end: at };
}

function frame(entry: OplogEntry): Buffer {
  const body = serialize(entry as unknown as Doc);
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32LE(body.length, 0);
  head.writeUInt32LE(crc32c(body), 4);
  return Buffer.concat([head, body]);
}

// The reader keeps number types apart; an entry's own numbers are plain.
function toEntry(doc: Doc): OplogEntry {
  const session = doc['session'] as SessionMark | null;
  return {
    at: toNumber(doc['at']) as number, term: toNumber(doc['term']) as number, wall: toNumber(doc['wall']) as number,
    operations: (doc['operations'] as Doc[]).map(toOperation), session,
  };
}

function toOperation(operation: Doc): Operation {
  const uuid = operation['uuid'] as { toUUID?(): unknown } | undefined;
  return { ...operation, ...(uuid?.toUUID ? { uuid: uuid.toUUID() } : {}) } as unknown as Operation;
}

