/**
 * An upload on this process's disk until it is read. The file has no name from its first moment on: whatever ends the process,
 * the disk has it back.
 */
import { type FileHandle, mkdir, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { deferredLimits } from '../../shared/deferred/limits.ts';
import { Fault, toFault } from '../../shared/wire/fault.ts';

export interface Spooled {
  readonly chunks: AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** Throws what the upload ends with, where that is not its whole; `body_too_large` beyond the bound. */
export async function spool(chunks: AsyncIterable<Uint8Array>, dataDir: string): Promise<Spooled> {
  const file = await openUnnamed(dataDir);
  try {
    const bytes = await takeAll(chunks, file);
    return { chunks: readBack(file, bytes), close: () => file.close() };
  } catch (thrown) {
    await file.close();
    throw thrown;
  }
}

async function openUnnamed(dataDir: string): Promise<FileHandle> {
  await mkdir(dataDir, { recursive: true });
  const path = join(dataDir, `upload-${crypto.randomUUID()}`);
  const file = await open(path, 'wx+', 0o600);
  await unlink(path);
  return file;
}

async function takeAll(chunks: AsyncIterable<Uint8Array>, file: FileHandle): Promise<number> {
  let bytes = 0;
  for await (const chunk of chunks) {
    if (bytes + chunk.length > deferredLimits.uploadBytesMax) throw tooLarge();
    for (let at = 0; at < chunk.length; ) at += (await written(file, chunk.subarray(at), bytes + at));
    bytes += chunk.length;
  }
  return bytes;
}

async function written(file: FileHandle, chunk: Uint8Array, at: number): Promise<number> {
  try {
    return (await file.write(chunk, 0, chunk.length, at)).bytesWritten;
  } catch (cause) {
    throw new Fault('overloaded', { detail: 'the disk of the origin takes no more; send it without `Prefer`', cause });
  }
}

function tooLarge(): Fault {
  const detail = `an upload that waits for its turn has at most ${deferredLimits.uploadBytesMax} bytes; send it without \`Prefer\``;
  return new Fault('body_too_large', { detail });
}

const readBytes = 65_536;

async function* readBack(file: FileHandle, bytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes; ) {
    const chunk = new Uint8Array(Math.min(readBytes, bytes - at));
    const { bytesRead } = await file.read(chunk, 0, chunk.length, at);
    if (bytesRead === 0) throw toFault(new Error(`an upload of ${bytes} bytes ends at ${at}`));
    at += bytesRead;
    yield chunk.subarray(0, bytesRead);
  }
}
