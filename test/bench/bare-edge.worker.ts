/**
 * A bare Hono Worker that answers from a table: what the edge is compared with. The same under `/fields` bears the
 * fields of the edge's answers too, which tells how much of the difference is theirs.
 */
import { Hono } from 'hono';

const app = new Hono<{ Bindings: { readonly ANSWERS: { readonly [path: string]: string } } }>();
app.get('/v2/films/:id', (c) => c.body(c.env.ANSWERS[c.req.path] ?? '', 200, { 'content-type': 'application/json' }));

const fields = {
  'content-type': 'application/json', etag: '"zRIEvAP4hcppyCkN-eVz_b"', 'cache-control': 'public, no-cache',
  'cache-status': 'tombolo; hit',
  age: '0', 'api-version': 'v1', 'x-request-id': 'req_0123456789abcdef0123456789abcdef',
  'ratelimit-policy': '"minute";q=1000000000;w=60',
  ratelimit: '"minute";r=999999999;t=60',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
};
app.get('/fields/v2/films/:id', (c) => c.body(c.env.ANSWERS[c.req.path.slice('/fields'.length)] ?? '', 200, fields));

export default app;
