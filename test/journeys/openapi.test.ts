/** What the description of the API shows works: every query, body and id that it has as an example, asked of the running sample. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { served } from '../../shared/resources/all.ts';
import { eventually } from '../support/eventually.ts';
import { type Sample, startSample } from '../support/sample.ts';

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly example?: unknown;
}

interface Operation {
  readonly operationId: string;
  readonly parameters: readonly Partial<Parameter>[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly example?: unknown }>> };
  readonly 'x-shapes'?: readonly { readonly name: string; readonly text?: readonly string[]; readonly example?: string }[];
  readonly 'x-aggregates'?: readonly { readonly name: string; readonly example?: string }[];
}

interface PathItem extends Readonly<Partial<Record<'get' | 'post' | 'put' | 'patch' | 'delete', Operation>>> {
  readonly parameters?: readonly { readonly schema: { readonly examples?: readonly string[] } }[];
}

let sample: Sample;
let paths: Readonly<Record<string, PathItem>>;
let headers: Readonly<Record<string, string>>;

beforeAll(async () => {
  sample = await startSample();
  paths = ((await (await fetch(`${sample.url}/openapi.json`)).json()) as { paths: Readonly<Record<string, PathItem>> }).paths;
  // Whoever the examples of bodies name, with every right.
  const token = await sample.token({ subject: 'alice', roles: ['editor', 'staff', 'moderator'], tenant: 'odeon', plan: 'bench' });
  headers = { authorization: `Bearer ${token}` };
}, 60_000);
afterAll(() => sample.close());

async function ask(method: string, path: string, body?: { readonly type: string; readonly example: unknown }): Promise<Response> {
  const answer = await fetch(sample.url + path, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': body.type }) },
    ...(body === undefined ? {} : { body: typeof body.example === 'string' ? body.example : JSON.stringify(body.example) }),
  });
  const said = answer.ok ? '' : await answer.clone().text();
  expect([method, path, answer.ok, said]).toEqual([method, path, true, '']);
  return answer;
}

function bodiesOf(operation: Operation | undefined): readonly { readonly type: string; readonly example: unknown }[] {
  return Object.entries(operation?.requestBody?.content ?? {}).map(([type, { example }]) => {
    expect([operation?.operationId, type, typeof example]).not.toEqual([operation?.operationId, type, 'undefined']);
    return { type, example };
  });
}

function withParameters(pairs: readonly (readonly [name: string, value: unknown])[]): string {
  return `?${pairs.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`).join('&')}`;
}

/** Whether somebody writes there: rows of a read model are nobody's. */
function isWritten(path: string): boolean {
  const rules = served.resources.get(path.split('/')[2] ?? '')?.rules;
  return rules === undefined || rules.create.kind !== 'nobody';
}

/** Those of documents; API keys and jobs are no documents that anybody puts. */
function collectionsOf(all: typeof paths): readonly (readonly [path: string, item: PathItem])[] {
  const ours = new Set(['/v2/keys', '/v2/jobs', '/v2/webhooks', '/v2/workflows']);
  return Object.entries(all).filter(([path]) => `${path}/{id}` in all && !ours.has(path) && isWritten(path));
}

test('every query that a list shows is answered', async () => {
  let asked = 0;
  for (const [path, { get }] of Object.entries(paths)) {
    if (get?.['x-shapes'] === undefined) continue;
    const { parameters, 'x-shapes': shapes } = get;
    for (const { example } of shapes) {
      await ask('GET', path + String(example));
      asked++;
    }
    // Those of the parameters are sent together.
    const shown = parameters.filter(({ example }) => example !== undefined);
    await ask('GET', path + withParameters(shown.map(({ name, example }) => [String(name), example])));
  }
  const shapes = [...served.resources.values()].flatMap(({ shapes, removal }) => [...shapes, ...(removal === undefined ? [] : [removal])]);
  expect(asked).toBe(shapes.length);
});

test('every aggregate that is shown is answered', async () => {
  let asked = 0;
  for (const [path, { get }] of Object.entries(paths)) {
    if (get?.['x-aggregates'] === undefined) continue;
    for (const { example } of get['x-aggregates']) {
      const { data } = await (await ask('GET', path + String(example))).json() as { readonly data: readonly object[] };
      expect([path, data.length > 0]).toEqual([path, true]);
      asked++;
    }
    const shown = get.parameters.filter(({ example }) => example !== undefined);
    await ask('GET', path + withParameters(shown.map(({ name, example }) => [String(name), example])));
  }
  expect(asked).toBe([...served.resources.values()].flatMap(({ aggregates }) => aggregates).length);
});

test('every body can be sent, and every document asked for', async () => {
  for (const [path, { post }] of collectionsOf(paths)) {
    const [body] = bodiesOf(post);
    const created = await ask('POST', path, body);
    expect([path, created.status]).toEqual([path, 201]);
    const { parameters: [id] = [], get, put, patch, delete: remove } = paths[`${path}/{id}`] ?? {};
    const [named] = id?.schema.examples ?? [];
    const location = created.headers.get('location') ?? '';
    if (named !== undefined) expect(location).toBe(`${path}/${named}`);
    expect([get, put, patch, remove].map((each) => typeof each)).toEqual(['object', 'object', 'object', 'object']);
    await ask('GET', location);
    // What a search has as its example stands in that body.
    for (const { example } of paths[path]?.get?.['x-shapes']?.filter(({ text }) => text !== undefined) ?? []) {
      await eventually(`${path}${example} finds it`, async () => {
        const { data } = (await (await ask('GET', `${path}${example}`)).json()) as { readonly data: readonly { readonly id: string }[] };
        return data.some(({ id }) => location === `${path}/${id}`);
      });
    }
    for (const each of bodiesOf(put)) await ask('PUT', location, each);
    for (const each of bodiesOf(patch)) await ask('PATCH', location, each);
    await ask('DELETE', location);
  }
});

test('a workflow can be begun and looked at, and is signalled where it waits alone', async () => {
  const begun = await ask('POST', '/v2/workflows', bodiesOf(paths['/v2/workflows']?.post)[0]);
  const location = begun.headers.get('location') ?? '';
  expect([begun.status, location]).toEqual([201, `/v2/workflows/${((await begun.json()) as { id: string }).id}`]);
  for (const path of [location, '/v2/workflows', '/v2/workflows?state=undone&limit=1']) await ask('GET', path);
  await (await ask('GET', `${location}/changes`)).body?.cancel();
  // As a page opens it, whose EventSource sends no token.
  const { ticket } = (await (await ask('POST', '/v2/live/tickets')).json()) as { readonly ticket: string };
  const feed = await fetch(`${sample.url}${location}/changes?ticket=${ticket}`, { headers: { accept: 'text/event-stream' } });
  expect([feed.status, feed.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
  await feed.body?.cancel();
  // The order that the example names is nobody's, so it ends undone; and none of the sample waits for a signal.
  await eventually('it is undone', async () => ((await (await ask('GET', location)).json()) as { state: string }).state === 'undone');
  for (const each of bodiesOf(paths['/v2/workflows/{id}/signal']?.post)) {
    const answer = await fetch(`${sample.url}${location}/signal`, {
      method: 'POST', headers: { ...headers, 'content-type': each.type }, body: JSON.stringify(each.example),
    });
    expect([answer.status, await answer.text()]).toEqual([422, expect.stringContaining('/step')]);
  }
});

test('a key can be made, looked at, rotated and revoked', async () => {
  const [body] = bodiesOf(paths['/v2/keys']?.post);
  const created = await ask('POST', '/v2/keys', body);
  const location = created.headers.get('location') ?? '';
  expect(location).toBe(`/v2/keys/${((await created.json()) as { id: string }).id}`);
  for (const path of [location, '/v2/keys', '/v2/keys?limit=1']) await ask('GET', path);
  for (const each of bodiesOf(paths['/v2/keys/{id}/rotate']?.post)) await ask('POST', `${location}/rotate`, each);
  await ask('DELETE', location);
});

test('a webhook can be made, looked at, changed, rotated, tried and removed', async () => {
  const made = await ask('POST', '/v2/webhooks', bodiesOf(paths['/v2/webhooks']?.post)[0]);
  const location = made.headers.get('location') ?? '';
  expect(location).toBe(`/v2/webhooks/${((await made.json()) as { id: string }).id}`);
  await ask('POST', `${location}/test`);
  for (const path of [location, '/v2/webhooks', `${location}/deliveries?limit=1`]) await ask('GET', path);
  for (const each of bodiesOf(paths['/v2/webhooks/{id}']?.patch)) await ask('PATCH', location, each);
  for (const each of bodiesOf(paths['/v2/webhooks/{id}/rotate']?.post)) await ask('POST', `${location}/rotate`, each);
  await ask('DELETE', location);
});

test('an operation behind its answer can be looked at, fetched and forgotten', async () => {
  const begun = await fetch(`${sample.url}/v2/films/export?genres=Noir`, { headers: { ...headers, prefer: 'respond-async' } });
  const location = begun.headers.get('location') ?? '';
  expect([begun.status, location]).toEqual([202, `/v2/operations/${((await begun.json()) as { id: string }).id}`]);
  await eventually('it is done', async () => ((await (await ask('GET', location)).json()) as { state: string }).state === 'done');
  await ask('GET', `${location}/result`);
  await ask('DELETE', location);
});

test('several documents can be changed, removed and made in one request', async () => {
  for (const [path, { patch, delete: remove }] of collectionsOf(paths)) {
    expect([path, typeof patch, typeof remove]).toEqual([path, 'object', 'object']);
    for (const body of bodiesOf(patch)) {
      const { results } = (await (await ask('PATCH', path, body)).json()) as { results: readonly { status: number }[] };
      // Of the ids that examples name, the sample has that of a film.
      expect([path, body.type, results.map(({ status }) => status)]).toEqual([path, body.type, [path === '/v2/films' ? 200 : 404]]);
    }
    const shown = (remove?.parameters ?? []).filter(({ example }) => example !== undefined);
    const removed = await ask('DELETE', path + withParameters(shown.map(({ name, example }) => [String(name), example])));
    const done = path === '/v2/films' ? 1 : 0;
    expect([path, await removed.json()]).toEqual([path, expect.objectContaining({ dryRun: true, done, refused: 1 - done })]);
  }
  const [body, ...others] = bodiesOf(paths['/v2/transaction']?.post);
  expect(others).toEqual([]);
  const { results } = (await (await ask('POST', '/v2/transaction', body)).json()) as { results: readonly { status: number }[] };
  expect(results.map(({ status }) => status)).toEqual([201]);
});

test('every row can be imported, and every feed followed', async () => {
  const imports = Object.entries(paths).filter(([path]) => path.endsWith('/import') && isWritten(path));
  expect(imports.length).toBeGreaterThan(0);
  for (const [path, { post }] of imports) {
    for (const body of bodiesOf(post)) {
      const answer = await ask('POST', `${path}?onDuplicate=skip`, body);
      const lines = (await answer.text()).trim().split('\n');
      expect([path, body.type, lines.length, lines[0]]).toEqual([path, body.type, 1, expect.stringContaining('"complete":true')]);
      // The same row in another form would meet the key of the first.
      if (path === '/v2/screenings/import') await ask('DELETE', '/v2/screenings?cinema=ritz-helsinki');
    }
  }
  const feeds = Object.entries(paths).filter(([path]) => path.endsWith('/changes') && !path.includes('{id}'));
  expect(feeds.length).toBeGreaterThan(0);
  for (const [path] of feeds) await (await ask('GET', path)).body?.cancel();
});
