// The container id in the metadata that the agent sends to its server. With the metadata file it is taken from there.
'use strict';
const assert = require('assert');
const http = require('http');
const zlib = require('zlib');
const { container, idOfCgroup, run } = require('./task');

run(async () => {
    let server;
    const received = new Promise((resolve) => {
        server = http.createServer((request, answer) => {
            if (!request.url.startsWith('/intake/')) return answer.end('{}');
            const body = request.headers['content-encoding'] ? request.pipe(zlib.createUnzip()) : request;
            let text = '';
            body.on('data', (bytes) => {
                text += bytes;
                if (text.includes('\n')) resolve(JSON.parse(text.slice(0, text.indexOf('\n'))).metadata);
            });
            body.on('error', () => {});
        });
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const apm = require('elastic-apm-node').start({
        serverUrl: 'http://127.0.0.1:' + server.address().port,
        serviceName: 'clients',
        apiRequestTime: '1s',
        centralConfig: false,
        cloudProvider: 'none',
        metricsInterval: '0s',
        logLevel: 'off',
    });
    apm.startTransaction('clients').end();
    apm.flush();
    const metadata = await received;
    const own = await container();
    assert.strictEqual(metadata.system.container?.id, idOfCgroup());
    if (idOfCgroup()) assert.strictEqual(metadata.system.container.id, own.DockerId);
});
