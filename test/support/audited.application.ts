import { Injectable } from '@nestjs/common';
import { fileSink, httpSink, McpTool, oidc } from 'sallyport';
import { applicationModule } from './server.js';

/** An application for processes of their own: a server that ships its records, and the commands that read them. */

@Injectable()
class Tools {
  @McpTool({ name: 'quick', description: 'Answers.', scopes: ['crm:read'], risk: 'read' })
  quick() {
    return 'the answer';
  }

  @McpTool({
    name: 'admin',
    description: 'Refuses.',
    role: 'agent:admin',
    scopes: ['crm:read'],
    risk: 'write',
  })
  admin() {
    return 'never';
  }
}

const { DATABASE = '{}', ISSUER = '', SINK_URL, SINK_FILE, LOG_KEY, LOG_STATE = '' } = process.env;

const log = LOG_KEY === undefined ? {} : { log: { key: LOG_KEY, state: { file: LOG_STATE } } };

const followers = [
  ...(SINK_URL === undefined ? [] : [httpSink(SINK_URL, { token: 'sink-token', name: 'http' })]),
  ...(SINK_FILE === undefined ? [] : [fileSink(SINK_FILE, { format: 'ocsf', name: 'file' })]),
];

export const AppModule = applicationModule({
  database: { ...JSON.parse(DATABASE), autoLoadEntities: true },
  providers: [Tools],
  sallyport: { identity: [oidc({ issuer: ISSUER })], audit: { followers, ...log } },
});
