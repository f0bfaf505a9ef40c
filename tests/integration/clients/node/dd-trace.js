// The container id that the tracer sends to the Datadog agent with every payload.
'use strict';
const assert = require('assert');
const http = require('http');
const { container, idOfCgroup, run } = require('./task');

run(async () => {
    let server;
    const received = new Promise((resolve) => {
        server = http.createServer((request, answer) => {
            request.resume();
            if (request.url.includes('/traces')) resolve(request.headers);
            answer.end('{}');
        });
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const tracer = require('dd-trace').init({
        url: 'http://127.0.0.1:' + server.address().port,
        service: 'clients',
        plugins: false,
        flushInterval: 0,
        startupLogs: false,
        remoteConfig: { enabled: false },
        telemetry: { enabled: false },
    });
    tracer.startSpan('clients').finish();
    const headers = await received;
    const own = await container();
    assert.strictEqual(headers['datadog-container-id'], idOfCgroup());
    if (idOfCgroup()) assert.strictEqual(headers['datadog-container-id'], own.DockerId);
});
