/** A bare Hono app on Bun that answers from a table: what the origin is compared with. */
import { Hono } from 'hono';

const [file = ''] = process.argv.slice(2);
const answers = new Map(Object.entries((await Bun.file(file).json()) as { readonly [target: string]: string }));
const head = { 'content-type': 'application/json' };

const app = new Hono();
app.get('/v2/films/:id', (c) => c.body(answers.get(c.req.path) ?? '', 200, head));
// The list's target as it came: a bare route parses no query.
app.get('/v2/films', (c) => c.body(answers.get(c.req.url.slice(c.req.url.indexOf('/v2/'))) ?? '', 200, head));

const { port } = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: app.fetch });
process.stdout.write(`listening on ${port}\n`);
