/** The database as another program has it, which knows nothing of Tombolo: the same few things on every engine. */
import type { JsonObject } from '../../shared/wire/values.ts';

export interface ForeignProgram {
  insert(collection: string, id: string, document: JsonObject): Promise<void>;
  set(collection: string, id: string, fields: JsonObject): Promise<void>;
  /** As a whole, in place of what is there. */
  replace(collection: string, id: string, document: JsonObject): Promise<void>;
  remove(collection: string, id: string): Promise<void>;
  /** Taken while everything runs; what it gives puts the copy in the database's place, only while no origin runs. */
  backup(): Promise<() => Promise<void>>;
  close(): Promise<void>;
}
