import { fail } from '../errors.ts';
import { findIndex } from '../query/plan.ts';
import { toNumber, type Doc, isDoc } from '../values/types.ts';
import { collectionName, type Command, ok } from './command.ts';
import { checkValidation, keepsImages } from './create.ts';

const MODIFIABLE = ['validator', 'validationLevel', 'validationAction', 'changeStreamPreAndPostImages', 'viewOn', 'pipeline'];

export const collMod: Command = {
  kind: 'write',
  run(context) {
    const { member, db, body } = context;
    const name = collectionName(context);
    const collection = member.store.get(db, name);
    if (!collection) throw fail('NamespaceNotFound', `ns does not exist`);
    const changes: Doc = {};
    for (const option of MODIFIABLE) if (body[option] !== undefined) changes[option] = body[option];
    for (const refused of ['expireAfterSeconds', 'timeseries', 'cappedSize', 'cappedMax']) if (body[refused] !== undefined) throw fail('NotImplemented', `collMod.${refused} is refused by this test server`);
    const options: Doc = { ...collection.options, ...changes };
    if (!keepsImages(options)) delete options['changeStreamPreAndPostImages'];
    checkValidation(options);
    const before: Doc = { collectionOptions: { uuid: collection.uuid, ...collection.options } };
    const reply: Doc = {};
    const index = body['index'];
    if (isDoc(index)) {
      const found = findIndex(collection, index['name'] ?? index['keyPattern']);
      if (!found) throw fail('IndexNotFound', `cannot find index ${JSON.stringify(index['name'] ?? index['keyPattern'])} for ns ${db}.${name}`);
      const set: Doc = { name: found.spec.name };
      for (const option of ['hidden', 'expireAfterSeconds', 'unique', 'prepareUnique']) if (index[option] !== undefined) set[option] = index[option];
      if (set['unique'] !== undefined || set['prepareUnique'] !== undefined) throw fail('NotImplemented', 'converting an index to unique is refused by this test server');
      if (set['expireAfterSeconds'] !== undefined) { reply['expireAfterSeconds_old'] = found.spec.expireAfterSeconds ?? undefined; reply['expireAfterSeconds_new'] = toNumber(set['expireAfterSeconds']); }
      if (set['hidden'] !== undefined) { reply['hidden_old'] = found.spec.hidden; reply['hidden_new'] = set['hidden']; }
      changes['index'] = set;
      before['indexOptions'] = found.spec.options;
    }
    context.wroteAt = member.write([{ kind: 'collMod', db, collection: name, uuid: collection.uuid, options, changes, before }]);
    return ok(reply);
  },
};
