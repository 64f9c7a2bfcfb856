/** The database as another program has it, which knows nothing of Tombolo: the same few things on every engine. */
import type { JsonObject } from '../../shared/wire/values.ts';

export interface ForeignProgram {
  insert(collection: string, id: string, document: JsonObject): Promise<void>;
  set(collection: string, id: string, fields: JsonObject): Promise<void>;
  /** Puts a whole document in place of what is there. */
  replace(collection: string, id: string, document: JsonObject): Promise<void>;
  remove(collection: string, id: string): Promise<void>;
  /** Copies the database while everything runs; what it gives puts the copy in its place, only while no origin runs. */
  backup(): Promise<() => Promise<void>>;
  close(): Promise<void>;
}
