import { Logger } from '@nestjs/common';
import type { Server } from '@modelcontextprotocol/server';
import type { Change } from '../subscriptions/subscription.js';

/** Tells the client of a connection on which the server may speak at any time (2025). */
export function notifyThrough(server: Server): (change: Change) => void {
  return (change) => {
    send(server, change).catch((error: unknown) => {
      // It has no capability for this kind, or is closed: there is nobody to tell.
      new Logger('Sallyport').debug?.(`A notification was not sent: ${String(error)}`);
    });
  };
}

async function send(server: Server, change: Change): Promise<void> {
  if (change.kind === 'resource') return server.sendResourceUpdated({ uri: change.uri });
  if (change.of === 'tool') return server.sendToolListChanged();
  return change.of === 'prompt' ? server.sendPromptListChanged() : server.sendResourceListChanged();
}
