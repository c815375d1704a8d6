import { boundedStream } from './bounded-stream.js';

/** A stream of so many frames that ends only when it is cancelled or has ended. */
function frames(count: number, then: 'ends' | 'stays open') {
  let cancelled = false;
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (sent < count) controller.enqueue(new TextEncoder().encode(`data: ${sent++}\n\n`));
      else if (then === 'ends') controller.close();
    },
    cancel() {
      cancelled = true;
    },
  });
  const headers = { 'Content-Type': 'text/event-stream' };
  return { response: new Response(body, { headers }), isCancelled: () => cancelled };
}

describe('A bounded stream', () => {
  it('passes on what is read, in order, to the end', async () => {
    let closed = 0;
    const { response } = frames(5, 'ends');
    const bounded = boundedStream(response, () => (closed += 1));
    expect(await bounded.text()).toBe([0, 1, 2, 3, 4].map((n) => `data: ${n}\n\n`).join(''));
    expect(closed).toBe(0);
  });

  it('is closed when too much waits for a client that does not read', async () => {
    const { response, isCancelled } = frames(10_000, 'stays open');
    const closed = new Promise<void>((resolve) => {
      const bounded = boundedStream(response, resolve);
      expect(bounded.body).not.toBeNull();
    });
    await expect(closed).resolves.toBeUndefined();
    await new Promise(setImmediate);
    expect(isCancelled()).toBe(true);
  });

  it('cancels what is behind it when the client leaves', async () => {
    let closed = 0;
    const { response, isCancelled } = frames(1, 'stays open');
    const bounded = boundedStream(response, () => (closed += 1));
    await bounded.body?.cancel();
    expect([isCancelled(), closed > 0]).toEqual([true, true]);
  });

  it('leaves alone what is no stream', () => {
    const json = Response.json({});
    expect(boundedStream(json, () => undefined)).toBe(json);
  });
});
