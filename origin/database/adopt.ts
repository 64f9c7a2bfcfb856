/**
 * `npm run adopt -- --collection NAME`: reads some of the documents of a collection that others made, and writes the resource
 * file that declares it, closed to everybody but the role admin. It writes to no database.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { whyNoCollection } from '../../shared/checks/name-checks.ts';
import { givenOrExit, placesOf } from '../given.ts';
import { StoreNotReady } from '../store/not-ready.ts';
import { withTarget } from '../store/mongo/planning.ts';
import { type Sample, toAdoption } from './adopting/adoption.ts';
import { readSample, sampleLimits } from './adopting/read-sample.ts';
import { constantOf, toResourceText } from './adopting/resource-text.ts';
import { answerHelp, whyWrong } from '../usage.ts';
import { toResourceName } from './adopting/wire-names.ts';

/** sysexits(3). */
const exits = { usage: 64, cannotCreate: 73, configuration: 78 } as const;

const usage = `npm run adopt -- --collection NAME [options]
  --uri URI         the connection string, its path the database; MONGODB_URI unless said
  --collection NAME the collection that is read
  --name NAME       the resource's name: lower case, digits, hyphens; from the collection's unless said
  --sample N        how many documents are read at most; ${sampleLimits.documentsDefault} unless said, ${sampleLimits.documentsMax} at most
  --print           prints the file instead of writing it
  --force           writes over a file that is there`;

answerHelp(usage);

const resources = join(import.meta.dir, '../../shared/resources');
/** Files there that declare no resource. */
const otherFiles: ReadonlySet<string> = new Set(['all', 'plans']);

/** A refusal, with what to do and how the process ends. */
class Refusal extends Error {
  readonly exit: number;

  constructor(message: string, exit: number = exits.usage) {
    super(message);
    this.exit = exit;
  }
}

interface Asked {
  readonly uri: string;
  readonly collection: string;
  readonly name: string;
  readonly documentsMax: number;
  readonly print: boolean;
  /** Where the file is to be. */
  readonly path: string;
}

function mustAsked(): Asked {
  const asked = parsed();
  const { uri = placesOf(givenOrExit('tombolo adopt')).uri, collection = '', sample, print, force } = asked;
  const { name = toResourceName(collection) } = asked;
  if (collection === '') throw new Refusal(`--collection is missing\nusage: ${usage}`);
  const detail = whyNoCollection(collection);
  if (detail !== undefined) throw new Refusal(`--collection ${collection}: ${detail}`);
  if (uri === '') throw new Refusal(`neither --uri nor MONGODB_URI names a MongoDB\nusage: ${usage}`);
  if (name === undefined) throw new Refusal(`no name follows from "${collection}"; say one with --name`);
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(name)) throw new Refusal(`--name ${name}: must be lower case, letters, digits and hyphens`);
  if (name === 'live' || otherFiles.has(name)) throw new Refusal(`"${name}" is the name of something else; say another with --name`);
  const path = join(resources, `${name}.ts`);
  if (!print && !force && existsSync(path)) {
    throw new Refusal(`shared/resources/${name}.ts is there; --force writes over it, --name gives another name`, exits.cannotCreate);
  }
  return { uri, collection, name, documentsMax: mustSample(sample), print, path };
}

function parsed() {
  const [text, flag] = [{ type: 'string' }, { type: 'boolean', default: false }] as const;
  try {
    return parseArgs({ options: { uri: text, collection: text, name: text, sample: text, print: flag, force: flag } }).values;
  } catch (cause) {
    throw new Refusal(`${whyWrong(cause)}\nusage: ${usage}`);
  }
}

function mustSample(text: string | undefined): number {
  const count = text === undefined ? sampleLimits.documentsDefault : Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= sampleLimits.documentsMax) return count;
  throw new Refusal(`--sample must be a whole number from 1 to ${sampleLimits.documentsMax}`);
}

async function adopt({ uri, collection, name, documentsMax, print, path }: Asked): Promise<void> {
  const sample = await withTarget({ uri, resources: [], isWritten: false }, ({ database }) =>
    readSample(database, { collection, documentsMax }),
  );
  const adoption = toAdoption(name, sample);
  if (adoption === undefined) {
    throw new Refusal(`${collection}: no document that was read has an _id that can be declared: an ObjectId, a text, a whole number or ` +
      'a UUID (Binary 4)', exits.configuration);
  }
  const text = toResourceText(adoption);
  if (print) {
    process.stdout.write(text);
    process.stderr.write(`${whatWasRead(sample)}\n`);
    return;
  }
  writeFileSync(path, text);
  process.stdout.write([
    whatWasRead(sample), `wrote shared/resources/${name}.ts`, 'next:',
    '  read the file: who may read and write is for you to say, and so is what is left out',
    `  shared/resources/all.ts: import { ${constantOf(name)} } from './${name}.ts', and ${constantOf(name)} in contract(…)`,
    '  npm run plan: what it asks of the database, and nothing done', '',
  ].join('\n'));
}

const howRead: Readonly<Record<Sample['reading'], string>> = {
  all: '', random: ', taken at random', cut: `, which have ${sampleLimits.bytesMax / 1_048_576} MB`,
};

function whatWasRead({ collection, documents, total, reading, indexes }: Sample): string {
  const read = `${documents.length} of ${total} documents${howRead[reading]}, and its list of indexes (${indexes.length})`;
  return `read from ${collection}: ${read}; nothing was written to the database`;
}

try {
  await adopt(mustAsked());
} catch (cause) {
  if (!(cause instanceof StoreNotReady) && !(cause instanceof Refusal)) throw cause;
  process.stderr.write(`tombolo adopt: ${cause.message}\n`);
  process.exit(cause instanceof Refusal ? cause.exit : exits.configuration);
}
