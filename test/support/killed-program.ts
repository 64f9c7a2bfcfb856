/** Programs that are killed at random moments, and the database that they share. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MongodOptions, Server } from '../mongod/mongod.ts';
import { openControlledDatabase } from './mongo-database.ts';
import type { Engine } from './whole-world.ts';

/** Programs of a proof that have its database at a time. */
export const programsAtOnce = 2;

export interface Stage {
  readonly place: string;
  readonly variables: Readonly<Record<string, string>>;
  /** Where it is a MongoDB. */
  readonly server?: Server;
  remove(): Promise<void> | void;
}

export async function openStage(engine: Engine, options: MongodOptions = {}): Promise<Stage> {
  if (engine === 'mongodb') {
    const { uri, server, remove } = await openControlledDatabase(options);
    // A transaction that a killed client left open holds what it has written for so long; 60 s unless said.
    server.transactionLifetimeMsMax = 500;
    return { place: uri, variables: { MONGODB_URI: uri }, server, remove };
  }
  const place = mkdtempSync(join(tmpdir(), 'tombolo-killed-'));
  return { place, variables: { TOMBOLO_DATA_DIR: place }, remove: () => rmSync(place, { recursive: true, force: true }) };
}

const newline = 10;

export class KilledProgram {
  readonly #child: Bun.Subprocess<'ignore', 'pipe', 'inherit'>;
  #first = Promise.withResolvers<void>();
  /** Lines that it has written: one for each write that was acknowledged. */
  lines = 0;

  constructor(file: string, args: readonly string[]) {
    this.#child = Bun.spawn([process.execPath, file, ...args], { stdin: 'ignore', stdout: 'pipe', stderr: 'inherit' });
    void this.#read(this.#child.stdout);
  }

  /** When the first write is acknowledged. */
  async writes(): Promise<void> {
    await this.#first.promise;
  }

  async kill9(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#child.exited;
  }

  async #read(stdout: ReadableStream<Uint8Array>): Promise<void> {
    for await (const chunk of stdout) {
      this.lines += chunk.filter((byte) => byte === newline).length;
      this.#first.resolve();
    }
    this.#first.reject(new Error('the program ended before it wrote anything'));
  }
}
