import { type AnyClientBulkWriteModel, type ChangeStream, Collection, Db, type Document, MongoClient } from 'mongodb';
import { openChangeStream } from '../driver-internals.ts';
import { isDocument } from '../kinds.ts';
import { argument, type Call, type Handlers, splitArguments } from './call.ts';

/** Operations on a database or a client, and the two that several kinds of object know. */
export const databaseOperations: Handlers = {
  runCommand: call => {
    const { options } = splitArguments(call.args, 'command', 'commandName');
    return database(call).command(argument<Document>(call.args, 'command'), options);
  },
  createCollection: async call => {
    const { options } = splitArguments(call.args, 'collection');
    await database(call).createCollection(argument(call.args, 'collection'), options);
  },
  dropCollection: async call => {
    const { options } = splitArguments(call.args, 'collection');
    await database(call).dropCollection(argument(call.args, 'collection'), options);
  },
  modifyCollection: call => {
    const { collection, ...fields } = call.args;
    return database(call).command({ collMod: collection, ...fields });
  },
  listCollections: call => {
    const { options } = splitArguments(call.args, 'filter');
    return database(call).listCollections(isDocument(call.args['filter']) ? call.args['filter'] : {}, options).toArray();
  },
  listDatabases: async call => (await call.entities.client(call.object).db().admin().listDatabases(splitArguments(call.args).options)).databases,
  dropDatabase: async call => {
    const { options } = splitArguments(call.args, 'database');
    await call.entities.client(call.object).db(argument(call.args, 'database')).dropDatabase(options);
  },
  clientBulkWrite: call => {
    const { options } = splitArguments(call.args, 'models');
    const models = argument<readonly Readonly<Record<string, Document>>[]>(call.args, 'models');
    return call.entities.client(call.object).bulkWrite(models.map(toClientModel), options);
  },
  aggregate: call => {
    const { options } = splitArguments(call.args, 'pipeline');
    const object = call.entities.get(call.object);
    if (!(object instanceof Db || object instanceof Collection)) throw new Error(`${call.object} cannot aggregate`);
    return object.aggregate(argument<Document[]>(call.args, 'pipeline'), options).toArray();
  },
  createChangeStream: async call => {
    const stream = watch(call);
    await openChangeStream(stream);
    return stream;
  },
};

const database = ({ entities, object }: Call): Db => entities.database(object);

function watch({ entities, object, args }: Call): ChangeStream {
  const { options } = splitArguments(args, 'pipeline');
  const watched = entities.get(object);
  const pipeline = argument<Document[]>(args, 'pipeline');
  if (watched instanceof MongoClient || watched instanceof Db || watched instanceof Collection) return watched.watch(pipeline, options);
  throw new Error(`${object} cannot be watched`);
}

/** The format writes `{insertOne: {namespace, document}}` where the driver takes `{name: 'insertOne', namespace, document}`. */
function toClientModel(model: Readonly<Record<string, Document>>): AnyClientBulkWriteModel<Document> {
  const [entry] = Object.entries(model);
  if (entry === undefined) throw new Error('a model of a client bulk write names no operation');
  return { name: entry[0], ...entry[1] } as AnyClientBulkWriteModel<Document>;
}
