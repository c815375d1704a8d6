import { Client as ModernClient, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport as LegacyTransportPort } from '@modelcontextprotocol/sdk/shared/transport.js';

const identity = { name: 'a-test', version: '1.0.0' };

function requestInit(token: string | undefined): { requestInit: RequestInit } {
  return { requestInit: token === undefined ? {} : { headers: { Authorization: `Bearer ${token}` } } };
}

/** Version 2 of the official client, which speaks 2026-07-28 and nothing else here. */
export async function modernClient(url: string, token?: string): Promise<ModernClient> {
  const client = new ModernClient(identity, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
  await client.connect(new StreamableHTTPClientTransport(new URL(url), requestInit(token)));
  return client;
}

/** Version 1 of the official client, which most deployed agents use: 2025-11-25. */
export async function legacyClient(url: string, token?: string): Promise<LegacyClient> {
  const client = new LegacyClient(identity);
  const transport: unknown = new LegacyTransport(new URL(url), requestInit(token));
  // Its transport and its client disagree about whether an optional member may be undefined.
  await client.connect(transport as LegacyTransportPort);
  return client;
}
