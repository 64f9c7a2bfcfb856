/**
 * The path of a request at the origin, in order. Nothing is looked up or read before its signature holds,
 * nothing reaches a verb that the contract did not parse and the rules did not let in.
 *
 *   verify → parse → authorize → verb → respond
 */
import { toFault } from '../shared/contract/fault.ts';
import { mustPreconditions } from '../shared/contract/preconditions.ts';
import type { Verb } from '../shared/contract/routes.ts';
import type { Answer, Asked, Call } from './call.ts';
import type { Context } from './context.ts';
import { verifyHop } from './hop/verify.ts';
import { respond, respondFault } from './respond.ts';
import { authorize } from './stages/authorize.ts';
import { parseRoute, parsers } from './stages/parse.ts';
import { changes } from './verbs/changes.ts';
import { find } from './verbs/find.ts';
import { get } from './verbs/get.ts';
import { importRows } from './verbs/import.ts';
import { insert } from './verbs/insert.ts';
import { patch } from './verbs/patch.ts';
import { remove } from './verbs/remove.ts';
import { replace } from './verbs/replace.ts';

const verbs: { readonly [V in Verb]: (context: Context, call: Call<V>) => Promise<Answer> } = {
  list: find,
  one: get,
  create: insert,
  replace,
  patch,
  remove,
  import: importRows,
  changes,
};

/** `untimed` lifts the server's own limits on slow bodies and quiet answers; the request's deadline stays. */
export async function handle(context: Context, request: Request, untimed: () => void): Promise<Response> {
  let requestId = 'none';
  try {
    const hop = verifyHop(request, context.settings.keys, context.now());
    requestId = hop.header('tombolo-request') ?? 'none';
    const route = parseRoute(context, hop);
    const rights = authorize(route, hop);
    if (!route.safe) mustPreconditions(route, (name) => hop.header(name));
    const asked: Asked = { hop, requestId, resource: route.resource, id: route.id ?? '', ...rights, ...context.bounds(hop, route.verb) };
    if (route.verb === 'import' || route.verb === 'changes') untimed();
    const answer = await run(route.verb, context, asked, request);
    return respond(context, asked, answer);
  } catch (thrown) {
    return respondFault(context, toFault(thrown), requestId);
  }
}

async function run<V extends Verb>(verb: V, context: Context, asked: Asked, request: Request): Promise<Answer> {
  const input = await parsers[verb](asked, request);
  return verbs[verb](context, { ...asked, input });
}
