/** A bare Hono Worker that answers from a table: what the edge is compared with. */
import { Hono } from 'hono';

const app = new Hono<{ Bindings: { readonly ANSWERS: { readonly [path: string]: string } } }>();
app.get('/v1/films/:id', (c) => c.body(c.env.ANSWERS[c.req.path] ?? '', 200, { 'content-type': 'application/json' }));

export default app;
