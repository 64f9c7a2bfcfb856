/** The project's own MongoDB, in this process, on a free port. */
export async function startTestServer(): Promise<{ readonly uri: string; close(): Promise<void> }> {
  throw new Error('the test server is not written yet; set MONGODB_URI');
}
