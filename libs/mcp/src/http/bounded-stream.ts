/** Frames that may wait for a client that reads slowly, before it is taken for one that does not read at all. */
const MOST_WAITING = 256;

/**
 * The same response, with a bound on what waits to be sent: a client that follows much and reads nothing would have the
 * server remember it all. Beyond, `close` is called and the stream ends.
 */
export function boundedStream(response: Response, close: () => void): Response {
  const { body, status, headers } = response;
  if (body === null || headers.get('content-type')?.startsWith('text/event-stream') !== true) return response;
  const reader = body.getReader();
  const bounded = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        void pump(reader, controller, close);
      },
      async cancel(reason) {
        await reader.cancel(reason);
        close();
      },
    },
    { highWaterMark: MOST_WAITING },
  );
  return new Response(bounded, { status, headers });
}

async function pump(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  controller: ReadableStreamDefaultController<Uint8Array>,
  close: () => void,
): Promise<void> {
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      controller.enqueue(read.value);
      if ((controller.desiredSize ?? 0) <= 0) throw new Error('The client does not read what it asked for.');
    }
    controller.close();
  } catch (error) {
    close();
    controller.error(error);
    // Whoever writes goes on, and would be remembered, until it is told that nobody reads.
    await reader.cancel(error).catch(() => undefined);
  }
}
