import type { Configuration } from './config/configuration.js';

/** What a person reads once the server listens: where it is, how to connect, how to get a token. */
export function welcome(config: Configuration, issuer: string): string {
  const lines = [
    `Sallyport office, an authorized MCP server, listens at ${config.resource}`,
    `  database           ${describeDatabase(config)}`,
    `  identity provider  ${issuer}${config.oidcIssuer === undefined ? ' (for development, in this process)' : ''}`,
    '',
    'Connect a client:',
    '  MCP Inspector      npx @modelcontextprotocol/inspector',
    `                     then transport "Streamable HTTP", URL ${config.resource}, and "Open Auth Settings" to sign in`,
    `  desktop or editor  { "mcpServers": { "office": { "type": "http", "url": "${config.resource}" } } }`,
    '',
    ...tokenLines(config),
    'See what was decided:',
    '  npm run -s sallyport -- audit list',
  ];
  return lines.join('\n');
}

function describeDatabase({ database }: Configuration): string {
  return database.kind === 'sqlite' ? `SQLite, ${database.path}` : 'PostgreSQL';
}

function tokenLines({ oidcIssuer, publicUrl }: Configuration): string[] {
  if (oidcIssuer !== undefined) return [];
  return [
    'Get a token (priya, marco, lena, vera of acme; gus of globex; research-agent):',
    `  npm run -s token -- --as priya --scope "email:read tasks:write" --url ${publicUrl}`,
    '',
  ];
}
