/** Asks the program of this container how it is, for `HEALTHCHECK`: the origin whether it is ready, the edge whether it answers. */
const isEdge = process.argv[2] === 'edge';
const port = process.env[isEdge ? 'TOMBOLO_EDGE_PORT' : 'TOMBOLO_ORIGIN_PORT'];
const answer = await fetch(`http://127.0.0.1:${port}${isEdge ? '/health' : '/ready'}`).catch(() => undefined);
process.exit(answer?.status === 200 ? 0 : 1);

export {};
